import type { Dispose } from "../connection.js";
import { el, place, setText } from "../dom.js";
import { icon } from "../icons.js";
import type { Live } from "../live.js";
import { StatusLine } from "../status.js";
import type { StoreChange } from "../store.js";
import { onResize, watchVisibility } from "../visibility.js";
import { InSight } from "./in_sight.js";
import { matches, sorted } from "./order.js";
import { RowView } from "./row.js";
import { Settling } from "./settling.js";
import { summaryOf } from "./summary.js";
import { TableHead } from "./table_head.js";

export interface DashboardOptions {
  /** Find out by itself whether it can be seen; otherwise `setVisible` says it. */
  readonly tracksVisibility?: boolean;
}

// Rows that are made between two frames.
const ROWS_A_FRAME = 60;
// Rows out of sight that are brought up to date between two frames: a screen reader may be there.
const UNSEEN_A_FRAME = 8;

/** Every plugin with its state, its numbers, and buttons for what can be done with it. */
export class DashboardView {
  private readonly root: HTMLElement;
  private readonly body = el("tbody");
  private readonly filter: HTMLInputElement;
  private readonly summary = el("span", { class: "nl-summary", attrs: { role: "status" } });
  private readonly empty = el("p", { class: "nl-quiet nl-empty" });
  private readonly status: StatusLine;
  private readonly head: TableHead;
  private readonly rows = new Map<string, RowView>();
  private readonly disposals: Dispose[];
  private readonly stale = new Set<string>();
  private readonly inSight: InSight;
  private shown: string[] = [];
  private filtered = "";
  private isScheduled = false;
  private isReordered = true;
  private readonly settling = new Settling(this.body, () => this.schedule(true));
  private isVisible = false;
  private columns = 11;

  constructor(
    host: HTMLElement,
    private readonly live: Live,
    options: DashboardOptions = {},
  ) {
    const { trans } = live;
    this.status = new StatusLine(live);
    this.head = new TableHead(trans, () => this.schedule(true));
    this.filter = el("input", {
      class: "nl-input nl-filter",
      attrs: { type: "search", placeholder: trans.__("Filter plugins"), spellcheck: "false" },
      on: { input: () => this.schedule(true) },
    });
    this.filter.setAttribute("aria-label", trans.__("Show only plugins with these words"));
    const box = el(
      "div",
      { class: "nl-table-box" },
      el("table", { class: "nl-table" }, this.head.element, this.body),
    );
    this.inSight = new InSight(box, () => this.schedule(false));
    this.root = el(
      "div",
      {
        class: "nl-root nl-dashboard",
        // Lumino then leaves keys alone that are meant for us: `d d` would delete the cell.
        attrs: {
          role: "region",
          "aria-label": trans.__("Plugins"),
          "data-lm-suppress-shortcuts": "true",
        },
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
      box,
      this.empty,
    );
    this.status.greysOut(this.root);
    host.append(this.root);
    this.disposals = [
      live.store.changed.listen((change) => this.noteChange(change)),
      live.client.statusChanged.listen(() => this.noteChange(allOf(this.rows.keys()))),
    ];
    this.disposals.push(onResize(this.root, () => this.spread()));
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
    this.settling.dispose();
    this.live.want(this, null);
    this.status.dispose();
    this.inSight.dispose();
    for (const dispose of this.disposals) {
      dispose();
    }
    for (const row of this.rows.values()) {
      row.dispose();
    }
    this.root.remove();
  }

  /** A narrow view leaves columns out. */
  private spread(): void {
    const columns = this.head.columns;
    if (columns !== this.columns) {
      this.columns = columns;
      for (const row of this.rows.values()) {
        row.spread(columns);
      }
    }
  }

  private noteChange(change: StoreChange): void {
    for (const id of change.ids) {
      this.stale.add(id);
    }
    this.schedule(change.membership);
    if (this.head.order.key !== "id" || this.filter.value !== "") {
      this.settling.begin();
    }
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
    this.drawRows();
    this.drawSummary();
  }

  /** Rows that can be seen follow every change; the others some at a time. */
  private drawRows(): void {
    let unseen = 0;
    for (const id of this.stale) {
      if (!this.inSight.has(id) && ++unseen > UNSEEN_A_FRAME) {
        continue;
      }
      this.stale.delete(id);
      this.updateRow(id);
    }
  }

  private updateRow(id: string): void {
    const row = this.live.store.row(id);
    if (row) {
      this.rows.get(id)?.update(row);
    }
  }

  /** Bring the rows into order; those that stay where they are are not touched. */
  private arrange(): void {
    const { store } = this.live;
    const wanted = [...store.rows.values()].filter(
      (row) => matches(row, this.filter.value) || this.isKept(row.id),
    );
    this.filtered = this.filter.value;
    this.shown = sorted(wanted, this.head.order);
    const keep = new Set(this.shown);
    for (const [id, view] of this.rows) {
      if (!keep.has(id)) {
        this.inSight.remove(id, view.head);
        view.dispose();
        this.rows.delete(id);
      }
    }
    let next: Element | null = this.body.firstElementChild;
    let made = 0;
    for (const id of this.shown) {
      made += this.rows.has(id) ? 0 : 1;
      if (made > ROWS_A_FRAME) {
        this.schedule(true); // the page is shown what there is, and goes on with the rest
        break;
      }
      const view = this.viewOf(id);
      if (next === view.head) {
        next = view.below.nextElementSibling;
      } else {
        place(this.body, view.head, next);
        place(this.body, view.below, next);
      }
    }
  }

  /** What somebody is at work in does not go because its words change, but with a new filter. */
  private isKept(id: string): boolean {
    return this.filter.value === this.filtered && this.rows.get(id)?.isOpen === true;
  }

  private viewOf(id: string): RowView {
    const known = this.rows.get(id);
    if (known) {
      return known;
    }
    const view = new RowView(this.live, id);
    view.setVisible(this.isVisible);
    view.spread(this.columns);
    this.rows.set(id, view);
    this.updateRow(id);
    this.inSight.add(id, view.head);
    return view;
  }

  private drawSummary(): void {
    const { trans, store } = this.live;
    setText(
      this.summary,
      store.isFilled ? summaryOf(store.totals, trans) : trans.__("waiting for the kernel …"),
    );
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
    } else if (
      (event.key === "ArrowDown" || event.key === "ArrowUp") &&
      !isTyping(event.target, this.filter)
    ) {
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

function allOf(ids: Iterable<string>): StoreChange {
  return { ids: new Set(ids), membership: false };
}

function isTyping(target: EventTarget | null, but?: Element): boolean {
  return (
    target !== but &&
    (target instanceof HTMLInputElement ||
      target instanceof HTMLTextAreaElement ||
      target instanceof HTMLSelectElement)
  );
}
