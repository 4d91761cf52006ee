// How often rows may change places because of what has changed in them. Milliseconds.
const EVERY = 1_000;

/** Says when rows may go to where they now belong: not often, and not away from under a pointer. */
export class Settling {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly rows: Element,
    private readonly settle: () => void,
  ) {}

  /** Rows may belong elsewhere. */
  begin(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      if (this.rows.querySelector(".nl-actions:hover")) {
        this.begin(); // somebody is about to press a button of one of them
      } else {
        this.settle();
      }
    }, EVERY);
  }

  dispose(): void {
    clearTimeout(this.timer);
  }
}
