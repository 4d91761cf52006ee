/** A colour of the theme as it is now, for what is drawn on a canvas: `name` is a CSS variable. */
export function colour(host: Element, name: string, otherwise: string): string {
  const probe = document.createElement("span");
  // The variable alone would be given as it is written, which may be a function of the theme.
  probe.style.color = `var(${name}, ${otherwise})`;
  host.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found === "" ? otherwise : found;
}

const LISTENERS = new Set<() => void>();
let observer: MutationObserver | undefined;

/** Be told when the theme is another; canvases have to be drawn anew then. */
export function onTheme(listener: () => void): () => void {
  LISTENERS.add(listener);
  if (!observer) {
    observer = new MutationObserver(() => {
      for (const one of LISTENERS) {
        one();
      }
    });
    observer.observe(document.body, {
      attributes: true,
      attributeFilter: ["data-jp-theme-name", "data-jp-theme-light", "class"],
    });
  }
  return () => {
    LISTENERS.delete(listener);
    if (LISTENERS.size === 0) {
      observer?.disconnect();
      observer = undefined;
    }
  };
}
