import type { Action, Dispose, PluginRow } from "@nebula-lab/common";
import {
  ACTIONS,
  HistoryView,
  OperationsView,
  askFor,
  el,
  failureBox,
  icon,
  setText,
  clip,
} from "@nebula-lab/common";
import type { Live } from "@nebula-lab/common";
import { factsOf } from "./facts.js";
import { FocusKeeper } from "./focus_keeper.js";
import { Fold } from "./fold.js";
import { isStillNeeded, needingUp } from "./needing.js";

const LONGEST = 5_000;

/** What is shown below a plugin's row: figures, what can be done, calls, and versions. */
export class PluginDetails {
  readonly element: HTMLElement;

  /** @param showLogs - bring what the plugin has written into view */
  constructor(
    private readonly live: Live,
    private readonly id: string,
    showLogs: (id: string) => void,
  ) {
    const { trans } = live;
    this.facts = el("dl", { class: "nl-side-facts" });
    this.error = el("p", { class: "nl-side-error" });
    this.answer = el("div", { class: "nl-side-answer", attrs: { role: "status" } });
    const actions = ACTIONS.map((action) => this.button(action));
    const logs = el("button", { class: "nl-button", attrs: { type: "button" } }, trans.__("Logs"));
    logs.addEventListener("click", () => showLogs(id));
    this.folds = [
      new Fold(trans.__("Call an operation"), () => new OperationsView(live, id).element),
      new Fold(trans.__("Versions"), () => new HistoryView(live, id).element),
    ];
    const group = el(
      "div",
      {
        class: "nl-side-actions",
        attrs: { role: "group", "aria-label": trans.__("What to do with %1", id) },
      },
      ...actions,
      logs,
    );
    this.element = el(
      "div",
      { class: "nl-side-detail" },
      this.error,
      group,
      this.answer,
      this.facts,
      ...this.folds.map((fold) => fold.element),
    );
    this.focus = new FocusKeeper([group, this.answer], () => this.focusChoices());
    this.disposal = live.store.changed.listen(({ ids }) => {
      if (ids.has(id)) {
        this.refresh();
      }
    });
    this.refresh();
  }

  dispose(): void {
    this.disposal();
  }

  private button(action: Action): HTMLButtonElement {
    const { trans } = this.live;
    const button = el(
      "button",
      {
        class: "nl-button",
        title: action.explain(trans),
        attrs: { type: "button", "data-action": action.name },
      },
      icon(action.icon),
      action.label(trans),
    );
    button.addEventListener("click", () => void this.act(action));
    this.buttons.set(action, button);
    return button;
  }

  /** Do it; where others need the plugin, only once the user has said that they go too. */
  private async act(action: Action): Promise<void> {
    const { trans } = this.live;
    this.begin(action);
    this.say(el("p", { class: "nl-quiet" }, trans.__("%1 …", action.label(trans))));
    try {
      const needing = action.name === "restart" ? await needingUp(this.live, this.id) : [];
      if (needing.length > 0) {
        this.askAbout(action, needing);
        return;
      }
      await this.carryOut(action, false);
    } catch (error) {
      this.say(failureBox(error, trans));
      if (action.name === "unload" && isStillNeeded(error)) {
        this.answer.append(this.cascadeButton(action, trans.__("Unload these too")));
      }
    } finally {
      this.end();
    }
  }

  private async carryOut(action: Action, cascade: boolean): Promise<void> {
    const answer = await this.live.client.ask(askFor(action.name, this.id, cascade)).answer;
    const said = answer.kind === "done" ? answer.text : "";
    this.say(el("p", { class: "nl-side-said" }, said));
  }

  private askAbout(action: Action, needing: readonly string[]): void {
    const { trans } = this.live;
    const names = clip(needing.join(", "), LONGEST);
    const cancel = el("button", { class: "nl-button", attrs: { type: "button" } }, trans.__("Cancel"));
    cancel.addEventListener("click", () => {
      this.say();
      this.buttons.get(action)?.focus();
    });
    this.say(
      el("p", { class: "nl-side-question" }, trans.__("These need it, and restart with it: %1", names)),
      this.cascadeButton(action, trans.__("Restart them all")),
      cancel,
    );
  }

  /** Does an action with all that need the plugin. */
  private cascadeButton(action: Action, label: string): HTMLButtonElement {
    const button = el(
      "button",
      { class: "nl-button nl-side-cascade", attrs: { type: "button" } },
      label,
    );
    button.addEventListener("click", () => void this.cascade(action));
    return button;
  }

  private async cascade(action: Action): Promise<void> {
    this.begin(action);
    try {
      await this.carryOut(action, true);
    } catch (error) {
      this.say(failureBox(error, this.live.trans));
    } finally {
      this.end();
    }
  }

  /** Where the focus goes when what had it is gone: to a question, then to what was pressed. */
  private *focusChoices(): Generator<HTMLElement> {
    yield* this.answer.querySelectorAll<HTMLElement>(".nl-side-cascade");
    const pressed = this.pressed && this.buttons.get(this.pressed);
    if (pressed) {
      yield pressed;
    }
    yield* this.buttons.values();
  }

  /** Put something in the place of what was said, which may have had the focus. */
  private say(...nodes: HTMLElement[]): void {
    this.focus.note();
    this.answer.replaceChildren(...nodes);
  }

  private begin(action: Action): void {
    this.pressed = action;
    this.focus.note();
    this.setBusy(true);
  }

  private end(): void {
    this.focus.settle(); // on a question, as long as what was pressed is still at rest
    this.setBusy(false);
    this.focus.settle();
  }

  private setBusy(isBusy: boolean): void {
    this.element.setAttribute("aria-busy", String(isBusy));
    this.buttons.forEach((button) => {
      button.disabled = isBusy;
    });
  }

  private refresh(): void {
    const row = this.live.store.row(this.id);
    if (row === undefined) {
      return;
    }
    this.focus.note();
    for (const [action, button] of this.buttons) {
      button.hidden = !action.states.has(row.state) || row.leftOut !== "";
    }
    this.focus.settle();
    setText(this.error, whyOf(row));
    this.error.hidden = whyOf(row) === "";
    const facts = factsOf(row, this.live.trans).flatMap(([name, value]) => [
      el("dt", {}, name),
      el("dd", {}, clip(value, LONGEST)),
    ]);
    this.facts.replaceChildren(...facts);
  }

  private readonly focus: FocusKeeper;
  private pressed: Action | undefined;
  private readonly facts: HTMLElement;
  private readonly error: HTMLElement;
  private readonly answer: HTMLElement;
  private readonly folds: ReadonlyArray<Fold>;
  private readonly disposal: Dispose;
  private readonly buttons = new Map<Action, HTMLButtonElement>();
}

function whyOf(row: PluginRow): string {
  const texts = [row.leftOut, row.error, row.healthMessage].filter((text) => text !== "");
  return texts.map((text) => clip(text, LONGEST)).join("\n");
}
