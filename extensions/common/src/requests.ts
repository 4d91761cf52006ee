import { RequestError, type Ask } from "./client.js";
import { el } from "./dom.js";
import type { IconName } from "./icons.js";
import type { StateWord } from "./store.js";
import type { Trans } from "./trans.js";

/** What can be done with a plugin by one press. */
export type ActionName = "load" | "unload" | "reload" | "suspend" | "resume" | "restart";

export interface Action {
  readonly name: ActionName;
  readonly icon: IconName;
  /** States in which it makes sense. */
  readonly states: ReadonlySet<StateWord>;
  label(trans: Trans): string;
  explain(trans: Trans): string;
}

const UP: readonly StateWord[] = ["Loaded", "Active"];

function action(
  name: ActionName,
  states: readonly StateWord[],
  label: (trans: Trans) => string,
  explain: (trans: Trans) => string,
): Action {
  return { name, icon: name, states: new Set(states), label, explain };
}

export const ACTIONS: readonly Action[] = [
  action(
    "load",
    ["Discovered", "Failed"],
    (trans) => trans.__("Load"),
    (trans) => trans.__("Load it, and what it needs"),
  ),
  action(
    "unload",
    [...UP, "Suspended", "Failed"],
    (trans) => trans.__("Unload"),
    (trans) => trans.__("Clean up and end its process"),
  ),
  action(
    "reload",
    [...UP, "Suspended", "Failed"],
    (trans) => trans.__("Reload"),
    (trans) => trans.__("Put its files, as they are now, in the place of what runs"),
  ),
  action(
    "suspend",
    UP,
    (trans) => trans.__("Suspend"),
    (trans) => trans.__("Keep its state and end its process"),
  ),
  action(
    "resume",
    ["Suspended"],
    (trans) => trans.__("Resume"),
    (trans) => trans.__("Bring it back with its state"),
  ),
  action(
    "restart",
    UP,
    (trans) => trans.__("Restart"),
    (trans) => trans.__("End it and load it again, without its state"),
  ),
];

/** The message that asks for an action. */
export function askFor(name: ActionName, plugin: string, cascade = false): Ask {
  return name === "unload" || name === "restart"
    ? { type: name, plugin, cascade }
    : { type: name, plugin };
}

/** A failed request for people: what happened, what to do, and the rest behind a heading. */
export function failureBox(error: unknown, trans: Trans): HTMLElement {
  const { message, hint, details } =
    error instanceof RequestError
      ? error.failure
      : { message: String(error), hint: "", details: "" };
  const rest = details.trim();
  const isMore = rest !== "" && rest !== message && rest.length > message.length + hint.length + 8;
  return el(
    "div",
    { class: "nl-failure", attrs: { role: "alert" } },
    el("p", { class: "nl-failure-what" }, message),
    hint !== "" && el("p", { class: "nl-failure-hint" }, hint),
    isMore &&
      el(
        "details",
        {},
        el("summary", {}, trans.__("Show details")),
        el("pre", { class: "nl-pre" }, rest),
      ),
  );
}
