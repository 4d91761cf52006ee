/**
 * Keeps the focus in a part of the page whose buttons come, go and are at rest for a while.
 *
 * A button that is hidden or disabled while it has the focus leaves it nowhere, and whoever works
 * with keys starts again at the top of the page. The new state of a plugin and the answer to a
 * press come in either order, so the focus may be owed for a while in which no button makes sense.
 */
export class FocusKeeper {
  /**
   * @param roots - what the focus is kept in
   * @param choices - where it may go, the best first; what is hidden or disabled is passed over
   */
  constructor(
    private readonly roots: readonly HTMLElement[],
    private readonly choices: () => Iterable<HTMLElement>,
  ) {}

  /** To be called before anything is hidden, disabled or taken away. */
  note(): void {
    this.isOwed ||= this.roots.some((root) => root.contains(document.activeElement));
  }

  /** To be called afterwards: brings the focus back if it was lost, now or as soon as it can. */
  settle(): void {
    if (!this.isOwed || !isLost()) {
      this.isOwed = false;
      return;
    }
    const next = [...this.choices()].find(canHaveFocus);
    if (next !== undefined) {
      next.focus();
      this.isOwed = false;
    }
  }

  private isOwed = false;
}

/** A browser takes the focus from what can't have it with the next frame only. */
function isLost(): boolean {
  const { activeElement } = document;
  return (
    activeElement === null ||
    activeElement === document.body ||
    !canHaveFocus(activeElement as HTMLElement)
  );
}

function canHaveFocus(element: HTMLElement): boolean {
  return (
    element.isConnected &&
    element.closest("[hidden]") === null &&
    (element as Partial<HTMLButtonElement>).disabled !== true
  );
}
