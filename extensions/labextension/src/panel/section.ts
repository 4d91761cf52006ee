import type { Dispose } from "@nebula-lab/common";
import { setText } from "@nebula-lab/common";
import type { Message } from "@lumino/messaging";
import { Widget } from "@lumino/widgets";
import type { Model } from "../model.js";
import type { Talk } from "../talk.js";

/**
 * A part of the panel that can be folded away.
 *
 * What it shows is bound to the talk in front, while the section can be seen, by `bind`.
 */
export abstract class Section extends Widget {
  constructor(
    protected readonly model: Model,
    id: string,
    label: string,
    caption: string,
  ) {
    super();
    this.id = `nl-side-${id}`;
    this.addClass("nl-side-section");
    this.title.label = label;
    this.title.caption = caption;
    this.node.setAttribute("role", "region");
    this.node.setAttribute("aria-label", label);
    this.node.tabIndex = -1;
    this.stopListening = model.talkChanged.listen(() => this.rebind());
  }

  /** Show a talk; what is returned is called when another one comes or nobody looks any more. */
  protected abstract bind(talk: Talk): Dispose[];

  /** There is no talk to show. */
  protected abstract clear(): void;

  override dispose(): void {
    if (!this.isDisposed) {
      this.stopListening();
      this.unbind();
      super.dispose();
    }
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.rebind();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.rebind();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.unbind();
  }

  protected override onBeforeDetach(message: Message): void {
    this.unbind();
    super.onBeforeDetach(message);
  }

  /** A number beside the title, such as of problems; none where it is null. */
  protected count(label: string, count: number | null): void {
    this.title.label = count === null ? label : `${label} (${count})`;
  }

  private rebind(): void {
    if (!this.isVisible) {
      return;
    }
    this.unbind();
    const { talk } = this.model;
    if (talk === null) {
      this.clear();
    } else {
      this.bound = this.bind(talk);
    }
  }

  private unbind(): void {
    this.bound.forEach((dispose) => dispose());
    this.bound = [];
  }

  private readonly stopListening: Dispose;
  private bound: Dispose[] = [];
}

/** Show a sentence where a list is empty. */
export function setEmpty(node: HTMLElement, text: string): void {
  setText(node, text);
  node.hidden = text === "";
}
