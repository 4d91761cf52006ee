import type { PluginRow, Trans, TrendPoint } from "@nebula-lab/common";
import { clip, el, icon, setText, uniqueId } from "@nebula-lab/common";
import { Sparkline } from "./sparkline.js";
import { standingOf, summaryOf, toneOf } from "./words.js";

/** Characters of which a line shows as many as fit. */
const LINE = 200;

/** What a row asks of the list that it is in. */
export interface RowHost {
  readonly trans: Trans;
  /** The row is opened or folded; gives what is shown below an open one. */
  details(id: string): { element: HTMLElement; dispose(): void };
}

/** One plugin: a line that can be opened to see more. */
export class PluginItem {
  readonly element: HTMLElement;
  readonly button: HTMLButtonElement;

  constructor(
    private readonly host: RowHost,
    readonly id: string,
  ) {
    const place = uniqueId("details");
    this.dot = el("span", { class: "nl-side-dot", attrs: { "aria-hidden": "true" } });
    this.name = el("span", { class: "nl-side-name" });
    this.version = el("span", { class: "nl-side-version" });
    this.state = el("span", { class: "nl-side-state" });
    this.note = el("span", { class: "nl-side-note" });
    this.spark = new Sparkline();
    this.button = el(
      "button",
      {
        class: "nl-side-row",
        attrs: { type: "button", "aria-expanded": "false", "aria-controls": place, tabindex: -1 },
      },
      icon("expand"),
      this.dot,
      el("span", { class: "nl-side-title" }, this.name, this.version),
      this.spark.element,
      this.state,
      this.note,
    );
    this.place = el("div", { class: "nl-side-details", attrs: { id: place } });
    this.place.hidden = true;
    this.element = el("li", { class: "nl-side-item" }, this.button, this.place);
    this.button.addEventListener("click", () => this.toggle());
  }

  get isOpen(): boolean {
    return this.opened !== null;
  }

  show(row: PluginRow, trend: ReadonlyArray<TrendPoint>, hasSparkline: boolean): void {
    const { trans } = this.host;
    setText(this.name, clip(row.id, LINE));
    setText(this.version, clip(row.version, LINE));
    setText(this.state, standingOf(row, trans));
    const summary = clip(summaryOf(row, trans), 2 * LINE);
    setText(this.note, summary);
    this.note.hidden = summary === "";
    const isPlain = row.name === row.id || row.name === "";
    this.button.title = clip(isPlain ? row.id : `${row.name} (${row.id})`, 2 * LINE);
    this.element.className = `nl-side-item nl-tone-${toneOf(row)}`;
    this.element.dataset["plugin"] = row.id;
    this.element.dataset["state"] = row.state;
    const isDrawn = hasSparkline && trend.length > 1;
    this.spark.element.style.display = isDrawn ? "" : "none"; // an SVG knows no `hidden`
    if (isDrawn) {
      this.spark.draw(trend);
    }
  }

  toggle(isOpen = !this.isOpen): void {
    if (isOpen === this.isOpen) {
      return;
    }
    this.opened?.dispose();
    this.opened = isOpen ? this.host.details(this.id) : null;
    this.place.replaceChildren(...(this.opened === null ? [] : [this.opened.element]));
    this.place.hidden = !isOpen;
    this.button.setAttribute("aria-expanded", String(isOpen));
  }

  dispose(): void {
    this.toggle(false);
    this.element.remove();
  }

  private readonly dot: HTMLElement;
  private readonly name: HTMLElement;
  private readonly version: HTMLElement;
  private readonly state: HTMLElement;
  private readonly note: HTMLElement;
  private readonly place: HTMLElement;
  private readonly spark: Sparkline;
  private opened: { element: HTMLElement; dispose(): void } | null = null;
}
