import type { Dispose } from "../connection.js";
import { el, setText, uniqueId } from "../dom.js";
import { formatAgo, formatCount, formatSeconds, NOTHING } from "../format.js";
import { HistoryView } from "../history.js";
import type { Live } from "../live.js";
import { LogsView } from "../logs.js";
import { OperationsView } from "../operations.js";
import type { PluginRow } from "../wire.js";
import { LatencyChart } from "./latency_chart.js";

type TabName = "overview" | "operations" | "logs" | "history";

interface Tab {
  readonly name: TabName;
  readonly button: HTMLButtonElement;
  readonly panel: HTMLElement;
}

/** What is below an opened row: an overview, operations to call, logs, history. */
export class Details {
  readonly element: HTMLElement;
  private readonly tabs: readonly Tab[];
  private readonly facts = el("dl", { class: "nl-facts" });
  private readonly error = el("pre", { class: "nl-pre nl-last-error" });
  private readonly chart = new LatencyChart();
  private readonly disposals: Dispose[] = [];
  private logs: LogsView | undefined;
  private operations: OperationsView | undefined;
  private isVisible = true;
  private current: TabName = "operations";

  constructor(
    private readonly live: Live,
    private readonly plugin: string,
  ) {
    const { trans } = live;
    this.tabs = (
      [
        ["overview", trans.__("Overview")],
        ["operations", trans.__("Operations")],
        ["logs", trans.__("Logs")],
        ["history", trans.__("History")],
      ] as const
    ).map(([name, label]) => this.tab(name, label));
    const list = el(
      "div",
      { class: "nl-tabs", attrs: { role: "tablist", "aria-label": trans.__("About %1", plugin) } },
      ...this.tabs.map((tab) => tab.button),
    );
    list.addEventListener("keydown", (event) => this.walk(event));
    this.element = el("div", { class: "nl-details" }, list, ...this.tabs.map((tab) => tab.panel));
    this.panel("overview").append(this.facts, this.error, this.chart.element);
    this.select("overview");
  }

  update(row: PluginRow): void {
    if (this.current !== "overview") {
      return;
    }
    const now = Date.now() / 1000;
    const { trans } = this.live;
    const [p50, p95, p99] = row.latency ?? [undefined, undefined, undefined];
    this.setFacts([
      [trans.__("Description"), row.description],
      [trans.__("Version"), row.version],
      [trans.__("Sandbox"), [row.sandbox, ...row.rights].join(", ")],
      [trans.__("Process"), row.pid === null ? NOTHING : String(row.pid)],
      [trans.__("Health"), row.healthMessage || row.health],
      [
        trans.__("Calls"),
        trans.__("%1, %2 failed", formatCount(row.executions), formatCount(row.failures)),
      ],
      ["p50 · p95 · p99", [p50, p95, p99].map((one) => formatSeconds(one)).join(" · ")],
      [trans.__("Came up"), formatAgo(row.loadedAt, now, trans)],
      [trans.__("Last called"), formatAgo(row.lastUsed, now, trans)],
      [
        trans.__("Reloads"),
        trans.__("%1, and %2 restarts after crashes", row.reloads, row.restarts),
      ],
      [trans.__("Last error"), formatAgo(row.errorAt, now, trans)],
    ]);
    const trouble = row.error || row.leftOut;
    setText(this.error, trouble);
    this.error.hidden = trouble === "";
    this.chart.show(this.live.store.trend(this.plugin));
  }

  setVisible(visible: boolean): void {
    this.isVisible = visible;
    this.logs?.setVisible(visible && this.current === "logs");
  }

  dispose(): void {
    this.logs?.dispose();
    this.chart.dispose();
    for (const dispose of this.disposals) {
      dispose();
    }
  }

  private setFacts(facts: readonly (readonly [string, string])[]): void {
    if (this.facts.childElementCount === 0) {
      this.facts.append(...facts.flatMap(([name]) => [el("dt", {}, name), el("dd", {})]));
    }
    const places = this.facts.querySelectorAll("dd");
    facts.forEach(([, text], index) => {
      const place = places[index];
      if (place) {
        setText(place, text || NOTHING);
      }
    });
  }

  private tab(name: TabName, label: string): Tab {
    const id = uniqueId(name);
    const button = el(
      "button",
      {
        class: "nl-tab",
        attrs: { type: "button", role: "tab", id: `${id}-tab`, "aria-controls": id },
        on: { click: () => this.select(name) },
      },
      label,
    );
    const panel = el("div", {
      class: `nl-tab-panel nl-${name}`,
      attrs: { role: "tabpanel", id, "aria-labelledby": button.id },
    });
    return { name, button, panel };
  }

  private panel(name: TabName): HTMLElement {
    return this.tabs.find((tab) => tab.name === name)?.panel ?? this.element;
  }

  private select(name: TabName): void {
    this.current = name;
    for (const tab of this.tabs) {
      const isChosen = tab.name === name;
      tab.button.setAttribute("aria-selected", String(isChosen));
      tab.button.tabIndex = isChosen ? 0 : -1;
      tab.panel.hidden = !isChosen;
    }
    this.fill(name);
    this.logs?.setVisible(this.isVisible && name === "logs");
    const row = this.live.store.row(this.plugin);
    if (row) {
      this.update(row);
    }
  }

  /** Ask the kernel only for what is looked at. */
  private fill(name: TabName): void {
    if (name === "logs" && !this.logs) {
      this.logs = new LogsView(this.live, this.plugin);
      this.panel("logs").append(this.logs.element);
    } else if (name === "operations" && !this.operations) {
      this.operations = new OperationsView(this.live, this.plugin);
      this.panel("operations").append(this.operations.element);
    } else if (name === "history") {
      this.panel("history").replaceChildren(new HistoryView(this.live, this.plugin).element);
    }
  }

  private walk(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) {
      return;
    }
    event.preventDefault();
    const at = this.tabs.findIndex((tab) => tab.name === this.current);
    const next = this.tabs[(at + step + this.tabs.length) % this.tabs.length];
    if (next) {
      this.select(next.name);
      next.button.focus();
    }
  }
}
