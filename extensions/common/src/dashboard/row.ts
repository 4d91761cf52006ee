import { el, setClass, setText, uniqueId } from "../dom.js";
import { formatBytes, formatCount, formatPercent, formatRate, formatSeconds } from "../format.js";
import { icon } from "../icons.js";
import type { Live } from "../live.js";
import { RequestError } from "../client.js";
import { ACTIONS, askFor, failureBox } from "../requests.js";
import type { ActionName } from "../requests.js";
import type { PluginRow } from "../wire.js";
import { Details } from "./details.js";
import { Sparkline } from "./sparkline.js";
import { healthWord, HEALTH_TONES, STATE_TONES, stateWord, troubleOf, troubleWithTime } from "./words.js";

/** One plugin: a row of the table, and what is below it when it is opened. */
export class RowView {
  readonly head: HTMLTableRowElement;
  readonly below: HTMLTableRowElement;
  private readonly opener: HTMLButtonElement;
  private readonly cells: ReturnType<typeof makeCells>;
  private readonly spark = new Sparkline();
  private readonly buttons: ReadonlyMap<ActionName, HTMLButtonElement>;
  private readonly message = el("div", { class: "nl-message", attrs: { "aria-live": "polite" } });
  private readonly trouble = el("div", { class: "nl-trouble" });
  private readonly place = el("td");
  private details: Details | undefined;
  private busyWith: ActionName | undefined;
  private isVisible = true;

  constructor(
    private readonly live: Live,
    private readonly id: string,
  ) {
    const { trans } = live;
    const belowId = uniqueId("below");
    this.opener = el(
      "button",
      {
        class: "nl-opener",
        attrs: { type: "button", "aria-expanded": "false", "aria-controls": belowId },
        on: { click: () => this.toggle() },
      },
      icon("expand"),
    );
    this.opener.setAttribute("aria-label", trans.__("Details of %1", id));
    this.buttons = new Map(ACTIONS.map((action) => [action.name, this.button(action.name)]));
    this.cells = makeCells();
    this.head = el(
      "tr",
      { class: "nl-row" },
      el("td", { class: "nl-cell-opener" }, this.opener),
      el(
        "th",
        { class: "nl-cell-plugin", attrs: { scope: "row" } },
        this.cells.id,
        this.cells.name,
      ),
      el("td", { class: "nl-cell-state" }, this.cells.state),
      el("td", { class: "nl-cell-health" }, this.cells.health),
      el("td", { class: "nl-cell-rate nl-number" }, this.cells.rate),
      el("td", { class: "nl-cell-latency" }, this.spark.element, this.cells.latency),
      el("td", { class: "nl-cell-failures nl-number" }, this.cells.failures),
      el("td", { class: "nl-cell-usage nl-number" }, this.cells.cpu, this.cells.memory),
      el("td", { class: "nl-cell-reloads nl-number" }, this.cells.reloads),
      el("td", { class: "nl-cell-error" }, this.cells.error),
      el(
        "td",
        { class: "nl-cell-actions" },
        el("div", { class: "nl-actions" }, ...this.buttons.values()),
      ),
    );
    this.place.append(this.trouble, this.message);
    this.below = el("tr", { class: "nl-below", attrs: { id: belowId } }, this.place);
    this.below.hidden = true;
  }

  get isOpen(): boolean {
    return this.details !== undefined;
  }

  /** Let what is below be as wide as so many columns; more would make columns of nothing. */
  spread(columns: number): void {
    this.place.colSpan = columns;
  }

  focus(): void {
    this.opener.focus();
  }

  has(target: EventTarget | null): boolean {
    return target instanceof Node && (this.head.contains(target) || this.below.contains(target));
  }

  update(row: PluginRow): void {
    const { trans } = this.live;
    const { cells } = this;
    setText(cells.id, row.id);
    setText(cells.name, row.name === row.id ? row.version : `${row.name} ${row.version}`);
    cells.id.title = row.description || row.name;
    setText(cells.state, row.leftOut ? trans.__("left out") : stateWord(row.state, trans));
    cells.state.className = `nl-badge nl-tone-${row.leftOut ? "bad" : STATE_TONES[row.state]}`;
    setText(cells.health, healthWord(row, trans));
    cells.health.className = `nl-health nl-tone-${HEALTH_TONES[row.health]}`;
    cells.health.title = row.healthMessage;
    setText(cells.rate, formatRate(row.rate));
    setText(cells.latency, row.latency ? formatSeconds(row.latency[1]) : "");
    setClass(cells.rate, "nl-zero", row.rate === 0);
    setText(cells.failures, formatCount(row.failures));
    setClass(cells.failures, "nl-bad-text", row.failures > 0);
    setClass(cells.failures, "nl-zero", row.failures === 0);
    setText(cells.cpu, formatPercent(row.cpu));
    setText(cells.memory, formatBytes(row.memory));
    setText(cells.reloads, String(row.reloads));
    setClass(cells.reloads, "nl-zero", row.reloads === 0);
    const trouble = troubleOf(row);
    for (const place of [cells.error, this.trouble]) {
      setText(place, trouble);
      place.title = troubleWithTime(row, Date.now() / 1000, trans);
    }
    this.showBelow();
    this.spark.show(this.live.store.trend(this.id), this.latencyLabel(row));
    const isLost = this.live.client.status === "closed";
    for (const action of ACTIONS) {
      const button = this.buttons.get(action.name);
      if (button) {
        const can = action.states.has(row.state) && !(row.leftOut !== "" && action.name === "load");
        button.disabled = !can || this.busyWith !== undefined || isLost;
      }
    }
    setClass(this.head, "nl-is-moving", row.state === "Loading" || row.state === "Unloading");
    this.details?.update(row);
  }

  setVisible(visible: boolean): void {
    this.isVisible = visible;
    this.details?.setVisible(visible);
  }

  toggle(): void {
    if (this.details) {
      this.details.dispose();
      this.details.element.remove();
      this.details = undefined;
    } else {
      this.details = new Details(this.live, this.id);
      this.details.setVisible(this.isVisible);
      this.place.append(this.details.element);
    }
    this.opener.setAttribute("aria-expanded", String(this.isOpen));
    setClass(this.head, "nl-is-open", this.isOpen);
    this.showBelow();
  }

  dispose(): void {
    this.details?.dispose();
    this.head.remove();
    this.below.remove();
  }

  private button(name: ActionName): HTMLButtonElement {
    const { trans } = this.live;
    const action = ACTIONS.find((one) => one.name === name);
    const button = el(
      "button",
      {
        class: `nl-action nl-action-${name}`,
        attrs: { type: "button" },
        on: { click: () => void this.act(name) },
      },
      icon(name),
    );
    if (action) {
      button.title = `${action.label(trans)}: ${action.explain(trans)}`;
      button.setAttribute("aria-label", `${action.label(trans)} ${this.id}`);
    }
    return button;
  }

  private async act(name: ActionName, cascade = false): Promise<void> {
    const button = this.buttons.get(name);
    this.setBusy(name);
    this.say();
    try {
      const answer = await this.live.client.ask(askFor(name, this.id, cascade)).answer;
      if (answer.kind === "done" && answer.text.includes("\n")) {
        this.say(el("p", { class: "nl-done" }, answer.text));
      }
    } catch (error) {
      this.say(this.failure(name, error));
    } finally {
      this.setBusy(undefined);
      if (document.activeElement === document.body) {
        // A button that is disabled loses the focus, and the keyboard its place.
        (button?.disabled === false ? button : this.opener).focus({ preventScroll: true });
      }
    }
  }

  private failure(name: ActionName, error: unknown): HTMLElement {
    const { trans } = this.live;
    const box = failureBox(error, trans);
    const close = el(
      "button",
      { class: "nl-action nl-dismiss", attrs: { type: "button" }, on: { click: () => this.say() } },
      icon("close"),
    );
    close.setAttribute("aria-label", trans.__("Dismiss"));
    if (error instanceof RequestError && error.failure.error === "DependentsLoadedError") {
      const all = el(
        "button",
        {
          class: "nl-button",
          attrs: { type: "button" },
          on: { click: () => void this.act(name, true) },
        },
        name === "restart" ? trans.__("Restart these too") : trans.__("Unload these too"),
      );
      box.append(all);
    }
    box.append(close);
    return box;
  }

  private setBusy(name: ActionName | undefined): void {
    if (this.busyWith) {
      setClass(this.buttons.get(this.busyWith) ?? this.head, "nl-is-busy", false);
    }
    this.busyWith = name;
    if (name) {
      setClass(this.buttons.get(name) ?? this.head, "nl-is-busy", true);
    }
    const row = this.live.store.row(this.id);
    if (row) {
      this.update(row);
    }
  }

  private say(...what: HTMLElement[]): void {
    this.message.replaceChildren(...what);
    this.showBelow();
  }

  private showBelow(): void {
    const saysMore = this.isOpen || this.message.childElementCount > 0;
    this.below.hidden = !saysMore && this.trouble.textContent === "";
    setClass(this.below, "nl-only-trouble", !saysMore);
  }

  private latencyLabel(row: PluginRow): string {
    const { trans } = this.live;
    if (!row.latency) {
      return trans.__("No calls of late");
    }
    const [p50, p95, p99] = row.latency.map((seconds) => formatSeconds(seconds));
    return trans.__(
      "Calls of late: half took up to %1, 95 in 100 up to %2, 99 up to %3",
      p50 ?? "",
      p95 ?? "",
      p99 ?? "",
    );
  }
}

function makeCells() {
  return {
    id: el("span", { class: "nl-id" }),
    name: el("span", { class: "nl-name" }),
    state: el("span", { class: "nl-badge" }),
    health: el("span", { class: "nl-health" }),
    rate: el("span"),
    latency: el("span", { class: "nl-latency" }),
    failures: el("span"),
    cpu: el("span", { class: "nl-cpu" }),
    memory: el("span", { class: "nl-memory" }),
    reloads: el("span"),
    error: el("span", { class: "nl-error" }),
  };
}
