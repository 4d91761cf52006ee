import type { Dispose } from "./connection.js";
import { el, setText, uniqueId } from "./dom.js";
import { formatClock } from "./format.js";
import type { Live } from "./live.js";
import type { LogRow } from "./wire.js";

const MOST_SHOWN = 1_000;

/** The lines of a plugin as they come; it stays at the end unless one has scrolled up. */
export class LogsView {
  readonly element: HTMLElement;
  private readonly list: HTMLElement;
  private readonly filter: HTMLInputElement;
  private readonly empty: HTMLElement;
  private readonly disposals: Dispose[];
  private shown: readonly LogRow[] = [];
  private isScheduled = false;

  constructor(
    private readonly live: Live,
    private readonly plugin: string,
  ) {
    const { trans } = live;
    const id = uniqueId("filter");
    this.filter = el("input", {
      class: "nl-input",
      attrs: {
        id,
        type: "search",
        placeholder: trans.__("Only lines with …"),
        spellcheck: "false",
      },
    });
    this.filter.setAttribute("aria-label", trans.__("Show only lines with this text"));
    this.filter.addEventListener("input", () => this.draw(true));
    this.empty = el("p", { class: "nl-quiet" }, trans.__("It has written nothing yet."));
    this.list = el("div", {
      class: "nl-log",
      attrs: { role: "log", tabindex: 0, "aria-label": trans.__("What %1 has written", plugin) },
    });
    this.element = el("div", { class: "nl-logs" }, this.filter, this.empty, this.list);
    this.disposals = [live.store.logsChanged.listen((id) => id === plugin && this.schedule())];
    this.draw(true);
  }

  setVisible(visible: boolean): void {
    if (!visible) {
      // Whoever is fed anew is sent all that is kept.
      this.live.store.forgetLines(this.plugin);
    }
    this.live.want(this, visible ? { topics: [], logs: [this.plugin] } : null);
  }

  dispose(): void {
    this.setVisible(false);
    for (const dispose of this.disposals) {
      dispose();
    }
  }

  private schedule(): void {
    if (!this.isScheduled) {
      this.isScheduled = true;
      requestAnimationFrame(() => {
        this.isScheduled = false;
        this.draw(false);
      });
    }
  }

  private draw(anew: boolean): void {
    const wanted = this.filter.value.toLowerCase();
    const lines = this.live.store
      .lines(this.plugin)
      .filter((line) => wanted === "" || line.text.toLowerCase().includes(wanted));
    const isAtEnd = this.list.scrollTop + this.list.clientHeight >= this.list.scrollHeight - 24;
    const last = this.shown.at(-1);
    const from = anew || !last ? 0 : lines.lastIndexOf(last) + 1;
    if (from === 0) {
      this.list.replaceChildren();
    }
    this.list.append(...lines.slice(from).map((line) => lineElement(line)));
    while (this.list.childElementCount > MOST_SHOWN) {
      this.list.firstElementChild?.remove();
    }
    this.shown = lines;
    this.empty.hidden = lines.length > 0;
    setText(
      this.empty,
      wanted === ""
        ? this.live.trans.__("It has written nothing yet.")
        : this.live.trans.__("No line has this."),
    );
    if (isAtEnd) {
      this.list.scrollTop = this.list.scrollHeight;
    }
  }
}

function lineElement(line: LogRow): HTMLElement {
  const isBad = line.level >= 40 || line.stream === "stderr";
  const isDoubtful = line.level >= 30 && line.level < 40;
  const tone = isBad ? "nl-log-bad" : isDoubtful ? "nl-log-doubtful" : "";
  return el(
    "div",
    { class: `nl-log-line ${tone}` },
    el("time", { class: "nl-log-time" }, formatClock(line.at)),
    el("span", { class: "nl-log-stream" }, line.stream),
    el("span", { class: "nl-log-text" }, line.text),
  );
}
