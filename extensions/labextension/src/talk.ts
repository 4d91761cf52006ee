import type { Kernel } from "@jupyterlab/services";
import type { Trans } from "@nebula-lab/common";
import { Live } from "@nebula-lab/common";
import type { IDisposable } from "@lumino/disposable";
import { KernelLink } from "./kernel/link.js";

/** What the sidebar and one kernel have to do with each other: the link, and what is known. */
export class Talk implements IDisposable {
  readonly link: KernelLink;
  readonly live: Live;

  constructor(
    readonly kernel: Kernel.IKernelConnection,
    trans: Trans,
  ) {
    this.link = new KernelLink(kernel);
    this.channel = this.link.channel();
    this.live = new Live(this.channel, trans);
    document.addEventListener("visibilitychange", this.onVisibility);
    this.onVisibility();
  }

  get isDisposed(): boolean {
    return this.link.isDisposed;
  }

  dispose(): void {
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.live.dispose();
    this.channel.dispose();
    this.link.dispose();
  }

  private readonly onVisibility = () => this.live.pause(document.hidden);
  private readonly channel;
}

/**
 * One talk for each kernel that has been in front.
 *
 * They are kept while their kernels are there, so that a change of notebooks shows at once what was
 * known; only the one in front is fed.
 */
export class Talks implements IDisposable {
  constructor(private readonly trans: Trans) {}

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** The talk with a kernel, over this connection or another one to it. */
  with(kernel: Kernel.IKernelConnection): Talk {
    const known = this.talks.get(kernel.id);
    if (known !== undefined && !known.isDisposed && !known.kernel.isDisposed) {
      return known;
    }
    known?.dispose();
    const talk = new Talk(kernel, this.trans);
    this.talks.set(kernel.id, talk);
    kernel.disposed.connect(() => {
      talk.dispose();
      if (this.talks.get(kernel.id) === talk) {
        this.talks.delete(kernel.id);
      }
    });
    return talk;
  }

  dispose(): void {
    this._isDisposed = true;
    this.talks.forEach((talk) => talk.dispose());
    this.talks.clear();
  }

  private readonly talks = new Map<string, Talk>();
  private _isDisposed = false;
}
