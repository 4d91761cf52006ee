/**
 * Which rows of a scrolled box can be seen. Where the browser can't tell, all of them count.
 */
export class InSight {
  private readonly ids = new Map<Element, string>();
  private readonly seen = new Set<string>();
  private readonly observer: IntersectionObserver | undefined;

  /** `appeared` is told when others have come into sight. */
  constructor(box: Element, appeared: () => void) {
    if (typeof IntersectionObserver === "undefined") {
      return;
    }
    this.observer = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          const id = this.ids.get(entry.target);
          if (id !== undefined && entry.isIntersecting) {
            this.seen.add(id);
          } else if (id !== undefined) {
            this.seen.delete(id);
          }
        }
        appeared();
      },
      { root: box, rootMargin: "80px 0px" },
    );
  }

  has(id: string): boolean {
    return this.observer === undefined || this.seen.has(id);
  }

  add(id: string, row: Element): void {
    this.ids.set(row, id);
    this.observer?.observe(row);
  }

  remove(id: string, row: Element): void {
    this.ids.delete(row);
    this.seen.delete(id);
    this.observer?.unobserve(row);
  }

  dispose(): void {
    this.observer?.disconnect();
  }
}
