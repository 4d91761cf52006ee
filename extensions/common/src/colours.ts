/** Colours of the theme as they are now, for what is drawn on a canvas. */
export function colour(host: Element, name: string, otherwise: string): string {
  const value = getComputedStyle(host).getPropertyValue(name).trim();
  return value === "" ? otherwise : value;
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
