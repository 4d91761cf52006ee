import type { Dispose } from "./connection.js";

/** Tell whether an element can be seen: it is on the screen, and the browser's tab is. */
export function watchVisibility(host: Element, tell: (visible: boolean) => void): Dispose {
  let isOnScreen = false;
  let last: boolean | undefined;
  const say = () => {
    const visible = isOnScreen && document.visibilityState === "visible";
    if (visible !== last) {
      last = visible;
      tell(visible);
    }
  };
  const observer = new IntersectionObserver((entries) => {
    isOnScreen = entries.at(-1)?.isIntersecting ?? false;
    say();
  });
  observer.observe(host);
  document.addEventListener("visibilitychange", say);
  return () => {
    observer.disconnect();
    document.removeEventListener("visibilitychange", say);
  };
}

/** Be told when an element has another size. */
export function onResize(element: Element, tell: () => void): Dispose {
  if (typeof ResizeObserver === "undefined") {
    return () => undefined;
  }
  const observer = new ResizeObserver(() => tell());
  observer.observe(element);
  return () => observer.disconnect();
}
