/** Where the pages of a browser note the subshells that they have made. */
const PREFIX = "nebula-lab:subshell:";
const LOCK = "nebula-lab:page:";

/**
 * The subshells of this browser's pages, so that those of pages that are gone can be given back.
 *
 * A page that crashes, or a notebook whose connection is closed before us, can't do so itself. Each
 * page holds a lock as long as it lives, which the browser releases whatever becomes of the page.
 */
export class Ledger {
  constructor(
    private readonly page: string,
    private readonly storage: Storage = window.localStorage,
    private readonly locks: LockManager | undefined = navigator.locks,
  ) {
    // Never resolved: the lock is held until the page is gone.
    void locks?.request(LOCK + page, () => new Promise<void>(() => undefined));
  }

  note(kernel: string, subshell: string): void {
    this.storage.setItem(`${PREFIX}${kernel}:${subshell}`, this.page);
  }

  strike(kernel: string, subshell: string): void {
    this.storage.removeItem(`${PREFIX}${kernel}:${subshell}`);
  }

  /** The subshells of a kernel that nobody uses: of pages that are gone, and left over of ours. */
  async abandoned(kernel: string, used: ReadonlySet<string>): Promise<string[]> {
    const start = `${PREFIX}${kernel}:`;
    const living = await this.livingPages();
    return Object.keys(this.storage)
      .filter((key) => key.startsWith(start))
      .filter((key) => {
        const page = this.storage.getItem(key) ?? "";
        return page === this.page ? !used.has(key.slice(start.length)) : !living(page);
      })
      .map((key) => key.slice(start.length));
  }

  /** Whether a page lives; each does where the browser has no locks, as on plain HTTP. */
  private async livingPages(): Promise<(page: string) => boolean> {
    if (!this.locks) {
      return () => true;
    }
    const held = new Set((await this.locks.query()).held?.map((lock) => lock.name));
    return (page) => held.has(LOCK + page);
  }
}
