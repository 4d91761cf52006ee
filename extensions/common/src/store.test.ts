import { expect, test } from "vitest";
import { Store, type StoreChange } from "./store.js";
import { pluginRow, snapshot } from "./testing.js";
import type { Changes } from "./wire.js";

function changes(values: Partial<Changes>): Changes {
  return { type: "changes", at: 2, plugins: [], added: [], removed: [], totals: null, ...values };
}

test("differences are put onto the snapshot", () => {
  const store = new Store();
  store.take(snapshot(pluginRow("a"), pluginRow("b")));
  store.take(
    changes({ plugins: [{ id: "a", state: "Loaded" }], removed: ["b"], added: [pluginRow("c")] }),
  );
  expect([...store.rows.keys()]).toEqual(["a", "c"]);
  expect(store.row("a")).toEqual(pluginRow("a", { state: "Loaded" }));
});

test("who listens is told which rows are others", () => {
  const store = new Store();
  const told: StoreChange[] = [];
  store.changed.listen((change) => told.push(change));
  store.take(snapshot(pluginRow("a"), pluginRow("b")));
  store.take(changes({ plugins: [{ id: "a", cpu: 3 }] }));
  expect(told[1]).toEqual({ ids: new Set(["a"]), membership: false });
});

test("a change of a plugin that is not known changes nothing", () => {
  const store = new Store();
  store.take(changes({ plugins: [{ id: "ghost", cpu: 3 }] }));
  expect(store.rows.size).toBe(0);
});

test("a plugin may be called as something that every object has", () => {
  const store = new Store();
  store.take(snapshot(pluginRow("__proto__"), pluginRow("constructor")));
  store.take(changes({ plugins: [{ id: "__proto__", state: "Loaded" }] }));
  expect(store.row("__proto__")?.state).toBe("Loaded");
  expect(store.row("toString")).toBeUndefined();
});

test("durations become the points of a line, and only so many are kept", () => {
  const store = new Store();
  store.take(snapshot(pluginRow("a")));
  for (let at = 0; at < 100; at += 1) {
    store.take(changes({ at, plugins: [{ id: "a", rate: 5 + at, latency: [1, 2, 3] }] }));
  }
  expect(store.trend("a")).toHaveLength(60);
  expect(store.trend("a").at(-1)).toEqual({ at: 99, rate: 104, p50: 1, p95: 2, p99: 3 });
});

test("lines that are missing leave a line that says so", () => {
  const store = new Store();
  const line = { at: 1, level: 0, stream: "stdout", text: "x" };
  store.take({ type: "logLines", plugin: "a", lines: [line], missed: 0 });
  store.take({ type: "logLines", plugin: "a", lines: [{ ...line, at: line.at + 1 }], missed: 7 });
  expect(store.lines("a").map((one) => one.text)).toEqual(["x", "… 7 lines are missing here", "x"]);
});

test("lines that are sent again after a rest are not shown twice", () => {
  const store = new Store();
  const said = ["x", "y", "y"].map((text, at) => ({ at, level: 20, stream: "log" as const, text }));
  store.take({ type: "logLines", plugin: "a", lines: said.slice(0, 2), missed: 0 });
  store.take({ type: "logLines", plugin: "a", lines: said, missed: 0 });
  expect(store.lines("a").map((one) => one.text)).toEqual(["x", "y", "y"]);
});
