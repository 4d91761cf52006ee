import type { AnyAnswer, Ask, Dispose, Trans } from "@nebula-lab/common";
import { Signal } from "@nebula-lab/common";
import type { IDisposable } from "@lumino/disposable";
import type { Document, FollowedDocument } from "./followed.js";
import type { Settings } from "./settings.js";
import type { Talk } from "./talk.js";
import { Talks } from "./talk.js";

/** After a cell, a kernel whose panel is hidden is looked at for the status bar. Milliseconds. */
const GLANCE_AFTER = 1_000;
const LONGEST_GLANCE = 5_000;

/** The kernel in front, and what is wanted of it. */
export class Model implements IDisposable {
  /** Another document or kernel is in front, or how we stand with it is another. */
  readonly changed = new Signal<void>();
  /** Another talk is in front. */
  readonly talkChanged = new Signal<Talk | null>();

  constructor(
    private readonly followed: FollowedDocument,
    private readonly settings: Settings,
    readonly trans: Trans,
  ) {
    this.talks = new Talks(trans);
    followed.changed.connect(this.follow, this);
    settings.changed.connect(this.tellWish, this);
    document.addEventListener("visibilitychange", this.onVisibility);
    this.follow();
  }

  get talk(): Talk | null {
    return this._talk;
  }

  /** The notebook or console that is shown. */
  get document(): Document | null {
    return this.followed.document;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /**
   * Ask the kernel in front for something.
   *
   * @throws RequestError where it fails, or where there is no such kernel any more.
   */
  async ask(message: Ask): Promise<AnyAnswer> {
    if (this._talk === null) {
      throw new Error(this.trans.__("There is no kernel."));
    }
    return this._talk.live.client.ask(message).answer;
  }

  /** Whether the panel can be seen, and so is to be fed. */
  set isSeen(isSeen: boolean) {
    this._isSeen = isSeen;
    this.tellWish();
  }

  dispose(): void {
    this._isDisposed = true;
    this.followed.changed.disconnect(this.follow, this);
    this.settings.changed.disconnect(this.tellWish, this);
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.leave();
    this.talks.dispose();
  }

  private follow(): void {
    const { kernel } = this.followed;
    const talk = kernel === null || kernel.isDisposed ? null : this.talks.with(kernel);
    if (talk !== this._talk) {
      this.leave();
      this._talk = talk;
      this.enter();
      this.talkChanged.emit(talk);
    }
    this.changed.emit();
  }

  private enter(): void {
    const talk = this._talk;
    if (talk === null) {
      return;
    }
    this.disposals = [
      talk.link.changed.listen(() => this.onStanding(talk)),
      talk.link.cellEnded.listen(() => this.glanceSoon()),
      talk.live.client.statusChanged.listen(() => this.changed.emit()),
      talk.live.store.changed.listen(() => this.glanced()),
    ];
    this.tellWish();
  }

  private leave(): void {
    this.disposals.forEach((dispose) => dispose());
    this.disposals = [];
    this.want(false);
  }

  private onStanding(talk: Talk): void {
    if (talk.isDisposed) {
      this.follow();
    } else {
      this.changed.emit();
    }
  }

  private tellWish(): void {
    if (this._isSeen && !document.hidden) {
      this.want(true);
    } else if (this._talk?.live.store.isFilled === true) {
      this.want(false);
    } else {
      this.glance();
    }
  }

  private want(isWanted: boolean): void {
    window.clearTimeout(this.glanceTimer);
    this.glanceTimer = undefined;
    const live = this._talk?.live;
    if (live !== undefined) {
      live.interval = this.settings.choices.interval;
      live.want(this, isWanted ? { topics: ["plugins"] } : null);
    }
  }

  /** For the status bar: look once, so that a panel that is hidden costs the kernel nothing. */
  private glance(): void {
    const isUseful = this.settings.choices.statusBar && !document.hidden;
    this.want(isUseful);
    if (isUseful) {
      this.glanceTimer = window.setTimeout(() => this.glanced(), LONGEST_GLANCE);
    }
  }

  private glanced(): void {
    if (!this._isSeen) {
      this.want(false);
    }
  }

  private glanceSoon(): void {
    if (!this._isSeen && this.glanceTimer === undefined) {
      this.glanceTimer = window.setTimeout(() => this.glance(), GLANCE_AFTER);
    }
  }

  private readonly onVisibility = () => this.tellWish();
  private readonly talks: Talks;
  private disposals: Dispose[] = [];
  private glanceTimer: number | undefined;
  private _talk: Talk | null = null;
  private _isSeen = false;
  private _isDisposed = false;
}
