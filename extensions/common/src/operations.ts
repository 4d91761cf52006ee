import { el, setText, uniqueId } from "./dom.js";
import { ParamsForm } from "./form/form.js";
import type { Schema } from "./form/schema.js";
import { formatSeconds } from "./format.js";
import type { Live } from "./live.js";
import { failureBox } from "./requests.js";
import type { Pending } from "./client.js";
import type { CallResult, OperationRow } from "./wire.js";

/** A plugin's operations, each to be called with a form made from its schema. */
export class OperationsView {
  readonly element: HTMLElement;
  private readonly body: HTMLElement;
  private pending: Pending | undefined;

  constructor(
    private readonly live: Live,
    private readonly plugin: string,
  ) {
    this.body = el("div", { class: "nl-operations-body" });
    this.element = el("div", { class: "nl-operations" }, this.body);
    this.offerToAsk();
  }

  /** Show what there is without loading the plugin, and a button to load it where that is nothing. */
  private offerToAsk(): void {
    void this.ask(false).then((found) => {
      if (!found) {
        const button = el(
          "button",
          { class: "nl-button", attrs: { type: "button" } },
          this.live.trans.__("Load the plugin and list its operations"),
        );
        button.addEventListener("click", () => {
          button.disabled = true;
          void this.ask(true);
        });
        this.body.replaceChildren(button);
      }
    });
  }

  private async ask(load: boolean): Promise<boolean> {
    try {
      const { answer } = this.live.client.ask({ type: "operations", plugin: this.plugin, load });
      const found = await answer;
      if (found.kind !== "operations" || (found.operations.length === 0 && !load)) {
        return false;
      }
      this.show(found.operations, found.leftOut);
    } catch (error) {
      this.body.replaceChildren(failureBox(error, this.live.trans));
    }
    return true;
  }

  private show(operations: readonly OperationRow[], leftOut: number): void {
    const { trans } = this.live;
    if (operations.length === 0) {
      this.body.replaceChildren(this.openCall());
      return;
    }
    const id = uniqueId("operation");
    const select = el("select", { class: "nl-input nl-operation-choice", attrs: { id } });
    for (const [number, operation] of operations.entries()) {
      select.append(el("option", { attrs: { value: number } }, operation.name));
    }
    const place = el("div");
    const choose = () => {
      const operation = operations[Number(select.value)];
      if (operation) {
        place.replaceChildren(this.callOf(operation));
      }
    };
    select.addEventListener("change", choose);
    choose();
    this.body.replaceChildren(
      el(
        "div",
        { class: "nl-operation-line" },
        el("label", { attrs: { for: id } }, trans.__("Operation")),
        select,
      ),
      ...(leftOut > 0
        ? [el("p", { class: "nl-quiet" }, trans.__("%1 more are not shown.", leftOut))]
        : []),
      place,
    );
  }

  private callOf(operation: OperationRow): HTMLElement {
    const form = new ParamsForm(operation.params as Schema, this.live.trans);
    return el(
      "div",
      { class: "nl-operation" },
      el("code", { class: "nl-signature" }, operation.signature),
      operation.description !== "" && el("p", { class: "nl-about" }, operation.description),
      form.element,
      this.runner(
        () => operation.name,
        () => form.read(),
      ),
    );
  }

  /** For a plugin that names no operations, and decides on each call by itself. */
  private openCall(): HTMLElement {
    const { trans } = this.live;
    const id = uniqueId("name");
    const name = el("input", {
      class: "nl-input",
      attrs: { id, type: "text", spellcheck: "false" },
    });
    const form = new ParamsForm({ type: "object" }, trans);
    return el(
      "div",
      { class: "nl-operation" },
      el("p", { class: "nl-quiet" }, trans.__("It names no operations; any can be tried.")),
      el(
        "div",
        { class: "nl-field" },
        el("label", { attrs: { for: id } }, trans.__("Operation")),
        name,
      ),
      form.element,
      this.runner(
        () => name.value,
        () => form.read(),
      ),
    );
  }

  private runner(
    operation: () => string,
    params: () => Record<string, unknown> | undefined,
  ): HTMLElement {
    const { trans } = this.live;
    const call = el(
      "button",
      { class: "nl-button nl-primary", attrs: { type: "button" } },
      trans.__("Call"),
    );
    const stop = el("button", { class: "nl-button", attrs: { type: "button" } }, trans.__("Stop"));
    const note = el("span", { class: "nl-quiet", attrs: { role: "status" } });
    const place = el("div", { class: "nl-result" });
    stop.hidden = true;
    stop.addEventListener("click", () => this.pending?.cancel());
    call.addEventListener("click", () => {
      const read = params();
      if (!read) {
        return;
      }
      const hadFocus = document.activeElement === call;
      call.disabled = true;
      stop.hidden = false;
      setText(note, trans.__("running …"));
      place.replaceChildren();
      void this.call(operation(), read)
        .then((shown) => place.replaceChildren(shown))
        .finally(() => {
          call.disabled = false;
          if (hadFocus && [document.body, stop].includes(document.activeElement as HTMLElement)) {
            call.focus(); // which a button that was disabled has lost
          }
          stop.hidden = true;
          setText(note, "");
        });
    });
    return el("div", {}, el("div", { class: "nl-run" }, call, stop, note), place);
  }

  private async call(operation: string, params: Record<string, unknown>): Promise<HTMLElement> {
    const { client, trans } = this.live;
    this.pending = client.ask({ type: "call", plugin: this.plugin, operation, params });
    try {
      const answer = await this.pending.answer;
      return answer.kind === "result" ? this.result(answer) : el("div");
    } catch (error) {
      return failureBox(error, trans);
    } finally {
      this.pending = undefined;
    }
  }

  private result(result: CallResult): HTMLElement {
    const { trans } = this.live;
    return el(
      "div",
      {},
      el("p", { class: "nl-quiet" }, trans.__("returned after %1", formatSeconds(result.seconds))),
      el("pre", { class: `nl-pre nl-${result.language}`, attrs: { tabindex: 0 } }, result.text),
      result.output !== "" && el("p", { class: "nl-quiet" }, trans.__("It printed")),
      result.output !== "" && el("pre", { class: "nl-pre", attrs: { tabindex: 0 } }, result.output),
    );
  }
}
