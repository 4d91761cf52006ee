import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { ISessionContext } from "@jupyterlab/apputils";
import type { ConsolePanel, IConsoleTracker } from "@jupyterlab/console";
import type { INotebookTracker, NotebookPanel } from "@jupyterlab/notebook";
import type { Kernel } from "@jupyterlab/services";
import type { IDisposable } from "@lumino/disposable";
import { Signal } from "@lumino/signaling";
import type { ISignal } from "@lumino/signaling";
import type { Widget } from "@lumino/widgets";

/** What the panel can be beside of. */
export type Document = NotebookPanel | ConsolePanel;

/**
 * The notebook or console that was used last, and its kernel.
 *
 * A terminal or a text file that is in front instead changes nothing: the panel goes on showing the
 * notebook that the user came from.
 */
export class FollowedDocument implements IDisposable {
  constructor(
    private readonly shell: JupyterFrontEnd.IShell,
    private readonly notebooks: INotebookTracker,
    private readonly consoles: IConsoleTracker | null
  ) {
    shell.currentChanged?.connect(this.look, this);
    notebooks.currentChanged.connect(this.look, this);
    consoles?.currentChanged.connect(this.look, this);
    this.look();
  }

  get document(): Document | null {
    return this._document;
  }

  get context(): ISessionContext | null {
    return this._document?.sessionContext ?? null;
  }

  get kernel(): Kernel.IKernelConnection | null {
    return this.context?.session?.kernel ?? null;
  }

  /** The document is another one, or its kernel or its name are. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this.follow(null);
      Signal.clearData(this);
    }
  }

  private look(): void {
    const next = this.candidate();
    if (next !== this._document) {
      this.follow(next);
      this._changed.emit();
    }
  }

  private candidate(): Document | null {
    const inFront = this.asDocument(this.shell.currentWidget);
    if (inFront !== null) {
      return inFront;
    }
    if (this._document !== null && !this._document.isDisposed) {
      return this._document;
    }
    return this.notebooks.currentWidget ?? this.consoles?.currentWidget ?? null;
  }

  private asDocument(widget: Widget | null): Document | null {
    if (widget === null || widget.isDisposed) {
      return null;
    }
    const isOurs = this.notebooks.has(widget) || this.consoles?.has(widget);
    return isOurs === true ? (widget as Document) : null;
  }

  private follow(next: Document | null): void {
    const former = this._document;
    if (former !== null) {
      former.disposed.disconnect(this.look, this);
      former.title.changed.disconnect(this.announce, this);
      former.sessionContext.kernelChanged.disconnect(this.announce, this);
      former.sessionContext.sessionChanged.disconnect(this.announce, this);
    }
    this._document = next;
    if (next !== null) {
      next.disposed.connect(this.look, this);
      next.title.changed.connect(this.announce, this);
      next.sessionContext.kernelChanged.connect(this.announce, this);
      next.sessionContext.sessionChanged.connect(this.announce, this);
    }
  }

  private announce(): void {
    this._changed.emit();
  }

  private _document: Document | null = null;
  private readonly _changed = new Signal<this, void>(this);
  private _isDisposed = false;
}
