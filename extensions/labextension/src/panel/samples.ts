import type { Dispose, SampleRow } from "@nebula-lab/common";
import { clip, el, failureBox, icon } from "@nebula-lab/common";
import { makeDraggable } from "../drag.js";
import type { Model } from "../model.js";
import { moveFocus } from "../plugins/roving.js";
import type { Settings } from "../settings.js";
import type { Talk } from "../talk.js";
import { Section } from "./section.js";

const LONGEST = 1_000;

/** Calls that can be put into the notebook, by a click or by dragging them between its cells. */
export class SamplesSection extends Section {
  /** @param insert - put code into the document in front */
  constructor(
    model: Model,
    private readonly settings: Settings,
    private readonly insert: (code: string) => void,
  ) {
    const { trans } = model;
    super(
      model,
      "samples",
      trans.__("Calls to insert"),
      trans.__("Click to put a call into the notebook, or drag it between two cells"),
    );
    this.place = el("div", { class: "nl-side-samples" });
    this.place.addEventListener("keydown", (event) => moveFocus(event, this.buttons()));
    this.node.append(this.place);
  }

  protected bind(talk: Talk): Dispose[] {
    this.known = "";
    this.askIfOthers(talk);
    const again = () => this.draw();
    this.settings.changed.connect(again);
    return [
      talk.live.store.changed.listen(() => this.askIfOthers(talk)),
      () => void this.settings.changed.disconnect(again),
    ];
  }

  protected clear(): void {
    this.samples = [];
    this.place.replaceChildren();
  }

  /** Operations are known once a plugin has been loaded, and may be others after a reload. */
  private askIfOthers(talk: Talk): void {
    const rows = [...talk.live.store.rows.values()];
    const known = rows.map((row) => `${row.id} ${row.state} ${row.reloads} ${row.version}`).join();
    if (known !== this.known && talk.live.store.isFilled) {
      this.known = known;
      void this.refresh(talk);
    }
  }

  private async refresh(talk: Talk): Promise<void> {
    try {
      const answer = await talk.live.client.ask({ type: "samples" }).answer;
      if (answer.kind === "samples" && talk === this.model.talk) {
        this.samples = answer.samples;
        this.leftOut = answer.leftOut;
        this.draw();
      }
    } catch (error) {
      this.known = "";
      this.place.replaceChildren(failureBox(error, this.model.trans));
    }
  }

  private draw(): void {
    const { trans } = this.model;
    const byPlugin = new Map<string, SampleRow[]>();
    for (const sample of this.samples) {
      byPlugin.set(sample.plugin, [...(byPlugin.get(sample.plugin) ?? []), sample]);
    }
    const groups = [...byPlugin].map(([plugin, samples]) => this.group(plugin, samples));
    if (groups.length === 0) {
      groups.push(
        el("p", { class: "nl-quiet" }, trans.__("A plugin's calls are known once it is loaded.")),
      );
    }
    if (this.leftOut > 0) {
      groups.push(el("p", { class: "nl-quiet" }, trans.__("%1 more are not shown.", this.leftOut)));
    }
    this.place.replaceChildren(...groups);
    this.buttons().forEach((button, index) => {
      button.tabIndex = index === 0 ? 0 : -1;
    });
  }

  private group(plugin: string, samples: ReadonlyArray<SampleRow>): HTMLElement {
    return el(
      "section",
      { class: "nl-side-sample-group", attrs: { "aria-label": clip(plugin, LONGEST) } },
      el("h4", {}, clip(plugin, LONGEST)),
      el("ul", { class: "nl-side-list" }, ...samples.map((sample) => this.item(sample))),
    );
  }

  private item(sample: SampleRow): HTMLElement {
    const { trans } = this.model;
    const code = () => this.settings.written(sample);
    const button = el(
      "button",
      {
        class: "nl-side-sample",
        title: clip(`${code()}\n\n${sample.description}`.trim(), LONGEST),
        attrs: {
          type: "button",
          "aria-label": trans.__(
            "Insert a call of %1 of %2",
            clip(sample.operation, LONGEST),
            clip(sample.plugin, LONGEST),
          ),
        },
      },
      icon("insert"),
      el("code", {}, clip(code(), LONGEST)),
    );
    button.addEventListener("click", () => this.insert(code()));
    makeDraggable(button, code);
    return el("li", {}, button);
  }

  private buttons(): HTMLButtonElement[] {
    return [...this.place.querySelectorAll("button")];
  }

  private readonly place: HTMLElement;
  private samples: ReadonlyArray<SampleRow> = [];
  private leftOut = 0;
  private known = "";
}
