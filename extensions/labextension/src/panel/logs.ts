import type { Dispose } from "@nebula-lab/common";
import { LogsView, clip, el, uniqueId } from "@nebula-lab/common";
import type { Model } from "../model.js";
import type { Talk } from "../talk.js";
import { Section } from "./section.js";

/** What one plugin writes, as it does. */
export class LogsSection extends Section {
  constructor(model: Model) {
    const { trans } = model;
    super(model, "logs", trans.__("Logs"), trans.__("What a plugin prints and logs"));
    const id = uniqueId("logs-of");
    this.choice = el("select", { class: "nl-input", attrs: { id } });
    this.choice.addEventListener("change", () => this.showPlugin(this.choice.value));
    this.place = el("div", { class: "nl-side-log" });
    const line = el(
      "div",
      { class: "nl-side-choice" },
      el("label", { attrs: { for: id } }, trans.__("Plugin")),
      this.choice,
    );
    this.node.append(line, this.place);
  }

  /** Show the lines of a plugin. */
  showPlugin(id: string): void {
    this.wanted = id;
    this.choice.value = id;
    this.renew();
  }

  protected bind(talk: Talk): Dispose[] {
    this.talk = talk;
    this.offer();
    return [
      talk.live.store.changed.listen(({ membership }) => {
        if (membership) {
          this.offer();
        }
      }),
      () => this.leave(),
    ];
  }

  protected clear(): void {
    this.talk = null;
    this.leave();
    this.choice.replaceChildren();
  }

  private offer(): void {
    const ids = [...(this.talk?.live.store.rows.keys() ?? [])].sort();
    this.choice.replaceChildren(...ids.map((id) => el("option", { attrs: { value: id } }, clip(id, 200))));
    if (!ids.includes(this.wanted)) {
      this.wanted = ids[0] ?? "";
    }
    this.choice.value = this.wanted;
    this.renew();
  }

  private renew(): void {
    if (this.view?.plugin === this.wanted || this.talk === null || !this.isVisible) {
      return;
    }
    this.leave();
    if (this.wanted !== "") {
      const logs = new LogsView(this.talk.live, this.wanted);
      this.view = { plugin: this.wanted, logs };
      this.place.replaceChildren(logs.element);
      logs.setVisible(true);
    }
  }

  private leave(): void {
    this.view?.logs.dispose();
    this.view = null;
    this.place.replaceChildren();
  }

  private readonly choice: HTMLSelectElement;
  private readonly place: HTMLElement;
  private talk: Talk | null = null;
  private view: { plugin: string; logs: LogsView } | null = null;
  private wanted = "";
}
