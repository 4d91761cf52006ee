import type { Dispose } from "../connection.js";
import { el, setText } from "../dom.js";
import { icon } from "../icons.js";
import type { Live } from "../live.js";
import { StatusLine } from "../status.js";
import type { StoreChange } from "../store.js";
import { watchVisibility } from "../visibility.js";
import { matches, sorted } from "./order.js";
import type { Order, SortKey } from "./order.js";
import { COLUMNS, RowView } from "./row.js";

export interface DashboardOptions {
  /** Find out by itself whether it can be seen; otherwise `setVisible` says it. */
  readonly tracksVisibility?: boolean;
}

interface Heading {
  readonly key: SortKey | null;
  readonly label: string;
  readonly class: string;
}

/** Every plugin with its state, its numbers, and buttons for what can be done with it. */
export class DashboardView {
  private readonly root: HTMLElement;
  private readonly body = el("tbody");
  private readonly filter: HTMLInputElement;
  private readonly summary = el("span", { class: "nl-summary", attrs: { role: "status" } });
  private readonly empty = el("p", { class: "nl-quiet nl-empty" });
  private readonly status: StatusLine;
  private readonly headings = new Map<SortKey, HTMLElement>();
  private readonly rows = new Map<string, RowView>();
  private readonly disposals: Dispose[];
  private readonly stale = new Set<string>();
  private order: Order = { key: "id", descending: false };
  private shown: string[] = [];
  private isScheduled = false;
  private isReordered = true;
  private isVisible = false;

  constructor(
    host: HTMLElement,
    private readonly live: Live,
    options: DashboardOptions = {},
  ) {
    const { trans } = live;
    this.status = new StatusLine(live);
    this.filter = el("input", {
      class: "nl-input nl-filter",
      attrs: { type: "search", placeholder: trans.__("Filter plugins"), spellcheck: "false" },
      on: { input: () => this.schedule(true) },
    });
    this.filter.setAttribute("aria-label", trans.__("Show only plugins with these words"));
    this.root = el(
      "div",
      {
        class: "nl-root nl-dashboard",
        // Lumino then leaves keys alone that are meant for us: `d d` would delete the cell.
        attrs: { role: "region", "aria-label": trans.__("Plugins"), "data-lm-suppress-shortcuts": "true" },
        on: { keydown: (event) => this.keyed(event) },
      },
      el(
        "div",
        { class: "nl-bar" },
        el("span", { class: "nl-title" }, trans.__("Plugins")),
        this.summary,
        this.status.element,
        el("span", { class: "nl-filter-box" }, icon("search"), this.filter),
      ),
      el("div", { class: "nl-table-box" }, el("table", { class: "nl-table" }, this.makeHead(), this.body)),
      this.empty,
    );
    host.append(this.root);
    this.disposals = [
      live.store.changed.listen((change) => this.noteChange(change)),
      live.client.statusChanged.listen(() => this.schedule(false)),
    ];
    if (options.tracksVisibility ?? true) {
      this.disposals.push(watchVisibility(host, (visible) => this.setVisible(visible)));
    }
    this.schedule(true);
  }

  /** While it is not seen, the kernel is asked to send nothing for it. */
  setVisible(visible: boolean): void {
    this.isVisible = visible;
    this.live.want(this, visible ? { topics: ["plugins"] } : null);
    for (const row of this.rows.values()) {
      row.setVisible(visible);
    }
    if (visible) {
      this.schedule(false);
    }
  }

  dispose(): void {
    this.live.want(this, null);
    this.status.dispose();
    for (const dispose of this.disposals) {
      dispose();
    }
    for (const row of this.rows.values()) {
      row.dispose();
    }
    this.root.remove();
  }

  private makeHead(): HTMLElement {
    const { trans } = this.live;
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
    return el("thead", {}, el("tr", {}, ...headings.map((heading) => this.heading(heading))));
  }

  private heading({ key, label, class: name }: Heading): HTMLElement {
    if (key === null) {
      return label === "" ? el("td", { class: name }) : el("th", { class: name, attrs: { scope: "col" } }, label);
    }
    const button = el(
      "button",
      { class: "nl-sort", attrs: { type: "button" }, on: { click: () => this.sortBy(key) } },
      label,
    );
    const cell = el("th", { class: name, attrs: { scope: "col" } }, button);
    this.headings.set(key, cell);
    return cell;
  }

  private sortBy(key: SortKey): void {
    const again = this.order.key === key;
    this.order = { key, descending: again ? !this.order.descending : key !== "id" };
    this.schedule(true);
  }

  private noteChange(change: StoreChange): void {
    for (const id of change.ids) {
      this.stale.add(id);
    }
    this.schedule(change.membership);
  }

  /** Draw before the next frame, once for all that has come by then. */
  private schedule(reordered: boolean): void {
    this.isReordered ||= reordered;
    if (!this.isScheduled) {
      this.isScheduled = true;
      requestAnimationFrame(() => {
        this.isScheduled = false;
        this.draw();
      });
    }
  }

  private draw(): void {
    if (this.isReordered) {
      this.isReordered = false;
      this.arrange();
    }
    for (const id of this.stale) {
      const row = this.live.store.row(id);
      if (row) {
        this.rows.get(id)?.update(row);
      }
    }
    this.stale.clear();
    this.drawSummary();
  }

  /** Bring the rows into order; those that stay where they are are not touched. */
  private arrange(): void {
    const { store } = this.live;
    const wanted = [...store.rows.values()].filter((row) => matches(row, this.filter.value));
    this.shown = sorted(wanted, this.order);
    const keep = new Set(this.shown);
    for (const [id, view] of this.rows) {
      if (!keep.has(id)) {
        view.dispose();
        this.rows.delete(id);
      }
    }
    let next: Element | null = this.body.firstElementChild;
    for (const id of this.shown) {
      const view = this.viewOf(id);
      if (next === view.head) {
        next = view.below.nextElementSibling;
      } else {
        this.body.insertBefore(view.head, next);
        this.body.insertBefore(view.below, next);
      }
    }
    for (const [key, cell] of this.headings) {
      const isKey = key === this.order.key;
      cell.setAttribute("aria-sort", isKey ? (this.order.descending ? "descending" : "ascending") : "none");
    }
  }

  private viewOf(id: string): RowView {
    const known = this.rows.get(id);
    if (known) {
      return known;
    }
    const view = new RowView(this.live, id);
    view.setVisible(this.isVisible);
    this.rows.set(id, view);
    this.stale.add(id);
    return view;
  }

  private drawSummary(): void {
    const { trans, store } = this.live;
    const { plugins, serving, failed, errors } = store.totals;
    const parts = [
      plugins === 1 ? trans.__("1 plugin") : trans.__("%1 plugins", plugins),
      trans.__("%1 serving", serving),
    ];
    if (failed > 0) {
      parts.push(trans.__("%1 failed", failed));
    }
    if (errors > 0) {
      parts.push(trans.__("%1 left out or wrong", errors));
    }
    setText(this.summary, store.isFilled ? parts.join(" · ") : trans.__("waiting for the kernel …"));
    const isEmpty = store.isFilled && this.shown.length === 0;
    this.empty.hidden = !isEmpty;
    setText(
      this.empty,
      store.rows.size === 0
        ? trans.__("No plugins were found.")
        : trans.__("No plugin has these words."),
    );
  }

  private keyed(event: KeyboardEvent): void {
    event.stopPropagation();
    if (event.key === "Escape" && event.target === this.filter && this.filter.value !== "") {
      this.filter.value = "";
      this.schedule(true);
    } else if (event.key === "/" && !isTyping(event.target)) {
      event.preventDefault();
      this.filter.focus();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !isTyping(event.target, this.filter)) {
      this.step(event);
    }
  }

  /** Go from row to row. */
  private step(event: KeyboardEvent): void {
    const at = this.shown.findIndex((id) => this.rows.get(id)?.has(event.target));
    if (at === -1 && event.target !== this.filter) {
      return;
    }
    const inDetails = event.target instanceof Element && event.target.closest(".nl-below") !== null;
    if (inDetails) {
      return;
    }
    const next = this.shown[at + (event.key === "ArrowDown" ? 1 : -1)];
    if (next !== undefined) {
      event.preventDefault();
      this.rows.get(next)?.focus();
    } else if (at === 0) {
      event.preventDefault();
      this.filter.focus();
    }
  }
}

function isTyping(target: EventTarget | null, but?: Element): boolean {
  return (
    target !== but &&
    (target instanceof HTMLInputElement ||
      target instanceof HTMLTextAreaElement ||
      target instanceof HTMLSelectElement)
  );
}

export { COLUMNS };
