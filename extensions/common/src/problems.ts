import { el } from "./dom.js";
import type { Dispose } from "./connection.js";
import type { Live } from "./live.js";
import { failureBox } from "./requests.js";
import type { ProblemRow } from "./wire.js";

/** What is wrong with plugins; asked for anew when they are others. */
export class ProblemsView {
  readonly element = el("div", { class: "nl-problems" });
  private readonly stopListening: Dispose;
  private known = "";

  constructor(private readonly live: Live) {
    this.stopListening = live.store.changed.listen(() => this.refreshIfOthers());
    this.refreshIfOthers();
  }

  dispose(): void {
    this.stopListening();
  }

  private refreshIfOthers(): void {
    const { errors, notes, problems } = this.live.store.totals;
    const known = `${errors} ${notes} ${problems}`;
    if (known !== this.known) {
      this.known = known;
      void this.refresh();
    }
  }

  async refresh(): Promise<void> {
    try {
      const found = await this.live.client.ask({ type: "problems" }).answer;
      if (found.kind === "problems") {
        this.show(found.problems, found.leftOut);
      }
    } catch (error) {
      this.known = "";
      this.element.replaceChildren(failureBox(error, this.live.trans));
    }
  }

  private show(problems: readonly ProblemRow[], leftOut: number): void {
    const { trans } = this.live;
    if (problems.length === 0) {
      this.element.replaceChildren(el("p", { class: "nl-quiet" }, trans.__("No problems.")));
      return;
    }
    this.element.replaceChildren(
      el("ul", { class: "nl-problem-list" }, ...problems.map((problem) => this.item(problem))),
      ...(leftOut > 0 ? [el("p", {}, trans.__("%1 more are not shown.", leftOut))] : []),
    );
  }

  private item(problem: ProblemRow): HTMLElement {
    const { trans } = this.live;
    const isError = problem.severity === "error";
    return el(
      "li",
      { class: "nl-problem" },
      el(
        "span",
        { class: `nl-badge nl-tone-${isError ? "bad" : "doubtful"}` },
        isError ? trans.__("error") : trans.__("note"),
      ),
      el("strong", {}, problem.plugin),
      el("p", { class: "nl-problem-what" }, problem.message),
      problem.where !== "" && el("p", { class: "nl-where" }, problem.where),
      problem.cure !== "" && el("p", { class: "nl-cure" }, problem.cure),
    );
  }
}
