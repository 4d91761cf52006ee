import { el } from "../dom.js";
import type { Trans } from "../trans.js";
import type { Order, SortKey } from "./order.js";

interface Heading {
  readonly key: SortKey | null;
  readonly label: string;
  readonly class: string;
}

/** The headings of the table; a press on one sorts by it, and another turns the order round. */
export class TableHead {
  readonly element: HTMLElement;
  private readonly cells = new Map<SortKey, HTMLElement>();
  private chosen: Order = { key: "id", descending: false };

  constructor(
    trans: Trans,
    private readonly changed: () => void,
  ) {
    const headings: readonly Heading[] = [
      { key: null, label: "", class: "nl-cell-opener" },
      { key: "id", label: trans.__("Plugin"), class: "nl-cell-plugin" },
      { key: "state", label: trans.__("State"), class: "nl-cell-state" },
      { key: "health", label: trans.__("Health"), class: "nl-cell-health" },
      { key: "rate", label: trans.__("Calls/s"), class: "nl-cell-rate nl-number" },
      { key: "latency", label: trans.__("Latency"), class: "nl-cell-latency" },
      { key: "failures", label: trans.__("Failures"), class: "nl-cell-failures nl-number" },
      { key: "memory", label: trans.__("CPU · memory"), class: "nl-cell-usage nl-number" },
      { key: "reloads", label: trans.__("Reloads"), class: "nl-cell-reloads nl-number" },
      { key: null, label: trans.__("Last error"), class: "nl-cell-error" },
      { key: null, label: trans.__("Actions"), class: "nl-cell-actions" },
    ];
    this.element = el("thead", {}, el("tr", {}, ...headings.map((one) => this.heading(one))));
    this.mark();
  }

  get order(): Order {
    return this.chosen;
  }

  /** How many of the headings are shown at the width that there is. */
  get columns(): number {
    const cells = [...(this.element.firstElementChild?.children ?? [])];
    return cells.filter((cell) => getComputedStyle(cell).display !== "none").length;
  }

  private heading({ key, label, class: name }: Heading): HTMLElement {
    if (key === null) {
      return label === ""
        ? el("td", { class: name })
        : el("th", { class: name, attrs: { scope: "col" } }, label);
    }
    const button = el(
      "button",
      { class: "nl-sort", attrs: { type: "button" }, on: { click: () => this.sortBy(key) } },
      label,
    );
    const cell = el("th", { class: name, attrs: { scope: "col" } }, button);
    this.cells.set(key, cell);
    return cell;
  }

  private sortBy(key: SortKey): void {
    const again = this.chosen.key === key;
    this.chosen = { key, descending: again ? !this.chosen.descending : key !== "id" };
    this.mark();
    this.changed();
  }

  private mark(): void {
    for (const [key, cell] of this.cells) {
      const direction = this.chosen.descending ? "descending" : "ascending";
      cell.setAttribute("aria-sort", key === this.chosen.key ? direction : "none");
    }
  }
}
