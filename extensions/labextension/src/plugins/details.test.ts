// @vitest-environment happy-dom
import { Live } from "@nebula-lab/common";
import { beforeEach, expect, test } from "vitest";
import { pluginRow, ScriptedConnection, snapshot } from "../../../common/src/testing.js";
import { PluginDetails } from "./details.js";

let connection: ScriptedConnection;
let details: PluginDetails;

beforeEach(() => {
  document.body.replaceChildren();
  connection = new ScriptedConnection();
  const live = new Live(connection);
  connection.receive(snapshot(pluginRow("one", { state: "Loaded" })));
  details = new PluginDetails(live, "one", () => undefined);
  document.body.append(details.element);
});

function button(name: string): HTMLButtonElement {
  return details.element.querySelector(`[data-action="${name}"]`) as HTMLButtonElement;
}

/** As with the Enter key: the browser takes the focus from a button that is disabled. */
function press(target: HTMLButtonElement): void {
  target.focus();
  target.click();
  if (target.disabled) {
    target.blur();
  }
}

async function answer(text: string): Promise<void> {
  const { id } = connection.sent.at(-1) as { id: number };
  connection.receive({ type: "answer", id, answer: { kind: "done", text } });
  await new Promise((resolve) => setTimeout(resolve));
}

function stateIs(state: "Discovered" | "Unloading"): void {
  const plugins = [{ id: "one", state }];
  connection.receive({ type: "changes", at: 2, plugins, added: [], removed: [], totals: null });
}

test("the focus goes on where the answer comes before the state", async () => {
  press(button("unload"));
  await answer("one is Discovered.");
  stateIs("Discovered");
  expect(document.activeElement).toBe(button("load"));
});

test("the focus goes on where the answer comes while no button makes sense", async () => {
  press(button("unload"));
  stateIs("Unloading");
  await answer("one is Discovered.");
  stateIs("Discovered");
  expect(document.activeElement).toBe(button("load"));
});

test("the focus goes on from a question whose state comes before the answer", async () => {
  press(button("unload"));
  const { id } = connection.sent.at(-1) as { id: number };
  const message = "two needs one.";
  const error = "DependentsLoadedError";
  connection.receive({ type: "failure", id, error, message, hint: "", details: "" });
  await new Promise((resolve) => setTimeout(resolve));
  const question = details.element.querySelector(".nl-side-cascade") as HTMLButtonElement;
  expect(document.activeElement).toBe(question);
  press(question);
  stateIs("Discovered");
  await answer("one is Discovered.");
  expect(document.activeElement).toBe(button("load"));
});
