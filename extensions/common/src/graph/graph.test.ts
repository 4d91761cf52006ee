import { expect, test } from "vitest";
import type { Graph } from "../wire.js";
import { layOut } from "./layout.js";
import { GraphModel } from "./model.js";

function graph(edges: [string, string][], others: string[] = [], cycles: string[][] = []): Graph {
  const ids = [...new Set([...edges.flat(), ...others])];
  return {
    kind: "graph",
    nodes: ids.map((id) => ({ id, version: "1.0.0", state: "Loaded", conflict: "" })),
    edges: edges.map(([dependent, dependency]) => ({
      dependent,
      dependency,
      requirement: "*",
      kind: "plain",
      where: "",
    })),
    cycles: cycles.map((path) => ({ path, declared: [] })),
  };
}

const RING = graph(
  [
    ["a", "b"],
    ["b", "c"],
    ["c", "a"],
    ["d", "a"],
  ],
  ["alone"],
  [["a", "b", "c"]],
);

test("dependents are found by way of others, and a cycle ends", () => {
  const model = new GraphModel(RING);
  expect([...model.dependents("a")].sort()).toEqual(["a", "b", "c", "d"]);
  expect([...model.dependencies("d")].sort()).toEqual(["a", "b", "c"]);
  expect(model.dependents("alone").size).toBe(0);
});

test("a cycle belongs to its plugins and to its steps, in their direction", () => {
  const model = new GraphModel(RING);
  expect(model.cyclesOf("b")).toHaveLength(1);
  expect(model.cyclesOf("c", "a")).toHaveLength(1);
  expect(model.cyclesOf("a", "c")).toHaveLength(0);
  expect(model.cyclesOf("d")).toHaveLength(0);
});

test("parts that are not connected are told apart", () => {
  expect(new GraphModel(RING).components().map((part) => part.length)).toEqual([4, 1]);
});

test("every plugin has a place of its own, within the picture", async () => {
  const model = new GraphModel(
    graph(
      [
        ["a", "b"],
        ["b", "a"],
        ["__proto__", "constructor"],
        ["x", "x"],
      ],
      ["p", "q"],
    ),
  );
  const layout = await layOut(model, new AbortController().signal);
  expect(layout?.nodes.size).toBe(model.nodes.size);
  const places = [...(layout?.nodes.values() ?? [])];
  expect(new Set(places.map((place) => `${place.x} ${place.y}`)).size).toBe(places.length);
  for (const { x, y } of places) {
    expect(x > 0 && x < (layout?.width ?? 0) && y > 0 && y < (layout?.height ?? 0)).toBe(true);
  }
  expect(layout?.edges).toHaveLength(4);
});

test("a layout that nobody wants any more is not finished", async () => {
  expect(await layOut(new GraphModel(RING), AbortSignal.abort())).toBeUndefined();
});
