// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from "vitest";
import { Live } from "../live.js";
import type { PluginRow } from "../wire.js";
import { pluginRow, ScriptedConnection, snapshot } from "../testing.js";
import { matches, sorted } from "./order.js";
import { DashboardView } from "./view.js";

let connection: ScriptedConnection;
let live: Live;
let view: DashboardView;

beforeEach(() => {
  vi.stubGlobal("requestAnimationFrame", (draw: () => void) => draw());
  document.body.replaceChildren();
  connection = new ScriptedConnection();
  live = new Live(connection);
  view = new DashboardView(document.body, live, { tracksVisibility: false });
  view.setVisible(true);
});

function ids(): (string | null)[] {
  return [...document.querySelectorAll(".nl-id")].map((one) => one.textContent);
}

function button(label: string): HTMLButtonElement {
  return document.querySelector(`[aria-label="${label}"]`) as HTMLButtonElement;
}

test("it watches while it is seen and not otherwise", () => {
  expect(connection.of("watch").at(-1)?.topics).toEqual(["plugins"]);
  view.setVisible(false);
  expect(connection.of("watch").at(-1)?.topics).toEqual([]);
});

test("there is a row for each plugin, and it follows the changes", () => {
  connection.receive(snapshot(pluginRow("b"), pluginRow("a")));
  expect(ids()).toEqual(["a", "b"]);
  connection.receive({
    type: "changes",
    at: 2,
    plugins: [{ id: "a", state: "Failed", error: "why\nmore" }],
    added: [],
    removed: ["b"],
    totals: null,
  });
  expect(ids()).toEqual(["a"]);
  expect(document.querySelector(".nl-row")?.textContent).toContain("Failed");
  expect(document.querySelector(".nl-error")?.textContent).toBe("why");
});

test("what went wrong last is there with its time, and goes when it is over", () => {
  const errorAt = Date.now() / 1000 - 300;
  const row = pluginRow("a", { state: "Active", error: "add: ValueError: no\nmore", errorAt });
  connection.receive(snapshot(row));
  const cell = document.querySelector(".nl-error") as HTMLElement;
  expect(cell.textContent).toBe("add: ValueError: no");
  expect(cell.title).toBe("5 min ago: add: ValueError: no");
  const below = document.querySelector(".nl-below") as HTMLElement;
  expect([below.hidden, below.className]).toEqual([false, "nl-below nl-only-trouble"]);
  button("Details of a").click();
  expect(below.className).toBe("nl-below");
  expect(document.querySelector(".nl-facts")?.textContent).toContain("Last error5 min ago");
  expect(document.querySelector(".nl-last-error")?.textContent).toBe(row.error);
  const change = { id: "a", error: "", errorAt: null };
  connection.receive({
    type: "changes",
    at: 2,
    plugins: [change],
    added: [],
    removed: [],
    totals: null,
  });
  expect(cell.textContent + cell.title).toBe("");
  expect(document.querySelector(".nl-facts")?.textContent).toContain("Last error–");
  button("Details of a").click();
  expect(below.hidden).toBe(true);
});

test("only what makes sense in a state can be pressed", () => {
  connection.receive(snapshot(pluginRow("a")));
  expect(button("Load a").disabled).toBe(false);
  expect(button("Suspend a").disabled).toBe(true);
  connection.receive({
    type: "changes",
    at: 2,
    plugins: [{ id: "a", state: "Loaded" }],
    added: [],
    removed: [],
    totals: null,
  });
  expect(button("Load a").disabled).toBe(true);
  expect(button("Suspend a").disabled).toBe(false);
});

test("a press asks once, and the buttons rest until there is an answer", async () => {
  connection.receive(snapshot(pluginRow("a")));
  button("Load a").click();
  button("Load a").click();
  const [asked, ...others] = connection.of("load");
  expect(others).toEqual([]);
  connection.receive({
    type: "failure",
    id: asked?.id ?? 0,
    error: "LoadFailedError",
    message: "<i>no</i>",
    hint: "",
    details: "",
  });
  await vi.waitFor(() => expect(document.querySelector('[role="alert"]')).not.toBeNull());
  expect(document.querySelector("i")).toBeNull();
  expect(button("Load a").disabled).toBe(false);
});

test("what others need is unloaded with them only when one says so", async () => {
  connection.receive(snapshot(pluginRow("a", { state: "Loaded" })));
  button("Unload a").click();
  connection.receive({
    type: "failure",
    id: connection.of("unload")[0]?.id ?? 0,
    error: "DependentsLoadedError",
    message: "b needs it",
    hint: "",
    details: "",
  });
  const all = await vi.waitFor(() => {
    const found = [...document.querySelectorAll("button")].find(
      (one) => one.textContent === "Unload these too",
    );
    expect(found).toBeDefined();
    return found;
  });
  all?.click();
  expect(connection.of("unload").map((one) => one.cascade)).toEqual([false, true]);
});

test("a filter leaves the rows that have all of its words", () => {
  connection.receive(
    snapshot(pluginRow("reader", { description: "reads files" }), pluginRow("writer")),
  );
  const filter = document.querySelector(".nl-filter") as HTMLInputElement;
  filter.value = "READ files";
  filter.dispatchEvent(new Event("input"));
  expect(ids()).toEqual(["reader"]);
});

test("rows stay where they are, with what is open in them, when others come", () => {
  connection.receive(snapshot(pluginRow("b")));
  button("Details of b").click();
  const row = document.querySelector(".nl-row");
  connection.receive({
    type: "changes",
    at: 2,
    plugins: [],
    added: [pluginRow("a"), pluginRow("c")],
    removed: [],
    totals: null,
  });
  expect(ids()).toEqual(["a", "b", "c"]);
  expect(document.querySelectorAll(".nl-row")[1]).toBe(row);
  expect(button("Details of b").getAttribute("aria-expanded")).toBe("true");
});

test("arrow keys go from row to row", () => {
  connection.receive(snapshot(pluginRow("a"), pluginRow("b")));
  button("Details of a").focus();
  button("Details of a").dispatchEvent(
    new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }),
  );
  expect(document.activeElement).toBe(button("Details of b"));
});

test("rows are in order of what was chosen, and then of their ids", () => {
  const rows = [
    pluginRow("b", { rate: 1 }),
    pluginRow("a", { rate: 1 }),
    pluginRow("c", { rate: 9 }),
  ];
  expect(sorted(rows, { key: "rate", descending: true })).toEqual(["c", "a", "b"]);
  expect(matches(pluginRow("a"), "")).toBe(true);
});

function change(id: string, values: Partial<PluginRow>): void {
  connection.receive({
    type: "changes",
    at: 2,
    plugins: [{ id, ...values }],
    added: [],
    removed: [],
    totals: null,
  });
  vi.advanceTimersByTime(1_000);
}

test("rows go to where they belong when what they are sorted by changes", () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  connection.receive(snapshot(pluginRow("a", { rate: 5 }), pluginRow("b", { rate: 1 })));
  (document.querySelector(".nl-cell-rate .nl-sort") as HTMLButtonElement).click();
  expect(ids()).toEqual(["a", "b"]);
  button("Details of b").focus();
  change("b", { rate: 9 });
  expect(ids()).toEqual(["b", "a"]);
  expect(document.activeElement).toBe(button("Details of b"));
  vi.useRealTimers();
});

test("a filter holds for what changes, and leaves an opened row until another filter", () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  connection.receive(snapshot(pluginRow("one"), pluginRow("two")));
  const filter = document.querySelector(".nl-filter") as HTMLInputElement;
  const type = (text: string) => {
    filter.value = text;
    filter.dispatchEvent(new Event("input"));
  };
  type("discovered");
  change("one", { state: "Failed" });
  expect(ids()).toEqual(["two"]);
  button("Details of two").click();
  change("two", { state: "Failed" });
  expect(ids()).toEqual(["two"]);
  type("failed one");
  expect(ids()).toEqual(["one"]);
  vi.useRealTimers();
});

test("a restart that takes others with it asks, and names them", async () => {
  connection.receive(snapshot(pluginRow("a", { state: "Loaded" })));
  button("Restart a").click();
  const [asked] = connection.of("restart");
  expect(asked?.cascade).toBe(false);
  connection.receive({
    type: "failure",
    id: asked?.id ?? 0,
    error: "DependentsLoadedError",
    message: "a: still needed by b",
    hint: "",
    details: "",
  });
  await vi.waitFor(() => expect(document.querySelector("[role=alert]")).not.toBeNull());
  const alert = document.querySelector("[role=alert]");
  expect(alert?.textContent).toContain("still needed by b");
  (alert?.querySelector(".nl-button") as HTMLButtonElement).click();
  expect(connection.of("restart").at(-1)?.cascade).toBe(true);
});

test("what nobody answers any more is greyed, cannot be pressed, and says what to do", () => {
  connection.receive(snapshot(pluginRow("a")));
  connection.receive({ type: "farewell" });
  expect(document.querySelector(".nl-dashboard")?.classList.contains("nl-is-lost")).toBe(true);
  expect(document.querySelector(".nl-status")?.textContent).toContain("Run this cell again");
  expect(button("Load a").disabled).toBe(true);
});
