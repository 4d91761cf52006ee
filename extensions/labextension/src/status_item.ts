import type { Dispose, Store } from "@nebula-lab/common";
import { el, setText } from "@nebula-lab/common";
import { Signal } from "@lumino/signaling";
import type { ISignal } from "@lumino/signaling";
import { Widget } from "@lumino/widgets";
import { pluginsIcon } from "./icons.js";
import type { Model } from "./model.js";
import type { Settings } from "./settings.js";
import type { Talk } from "./talk.js";

/** Says in the status bar how many plugins there are and how many have failed. */
export class StatusItem extends Widget {
  /** @param open - show the panel */
  constructor(
    private readonly model: Model,
    private readonly settings: Settings,
    open: () => void,
  ) {
    const text = el("span", { class: "nl-side-status-text" });
    const button = el("button", { class: "nl-side-status", attrs: { type: "button" } }, text);
    super({ node: el("div", {}, button) });
    this.text = text;
    this.button = button;
    button.prepend(pluginsIcon.element({ tag: "span", stylesheet: "statusBar" }));
    button.addEventListener("click", open);
    model.talkChanged.listen((talk) => this.follow(talk));
    model.changed.listen(() => this.refresh());
    settings.changed.connect(() => this.refresh());
    this.follow(model.talk);
  }

  /** There is something to say, a kernel whose plugins are known, and the user wants to read it. */
  get isActive(): boolean {
    return this._isActive;
  }

  get activeChanged(): ISignal<this, void> {
    return this._activeChanged;
  }

  private follow(talk: Talk | null): void {
    this.stop();
    this.stop = talk?.live.store.changed.listen(() => this.refresh()) ?? (() => undefined);
    this.refresh();
  }

  private refresh(): void {
    const { talk, trans } = this.model;
    const isWanted = this.settings.choices.statusBar;
    const isActive =
      isWanted && talk !== null && talk.link.standing === "open" && talk.live.store.isFilled;
    if (isActive) {
      this.say(talk.live.store, trans);
    }
    if (isActive !== this._isActive) {
      this._isActive = isActive;
      this._activeChanged.emit();
    }
  }

  private say({ totals }: Store, trans: Model["trans"]): void {
    const { plugins, serving, failed } = totals;
    const said = failed > 0 ? trans.__("%1 · %2 failed", plugins, failed) : String(plugins);
    setText(this.text, said);
    this.button.classList.toggle("nl-mod-failed", failed > 0);
    const whole = trans.__("Plugins: %1, of which %2 serve and %3 failed", plugins, serving, failed);
    this.button.title = whole;
    this.button.setAttribute("aria-label", whole);
  }

  private readonly text: HTMLElement;
  private readonly button: HTMLButtonElement;
  private readonly _activeChanged = new Signal<this, void>(this);
  private stop: Dispose = () => undefined;
  private _isActive = false;
}
