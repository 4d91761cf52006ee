import { expect, test } from "vitest";
import { needing } from "./needing.js";

function edge(dependent: string, dependency: string) {
  return { dependent, dependency, requirement: "", kind: "plain" as const, where: "" };
}

test("those that need a plugin by way of others need it too", () => {
  const edges = [edge("b", "a"), edge("c", "b"), edge("d", "other")];
  expect(needing({ edges }, "a")).toEqual(["b", "c"]);
});

test("a circle has an end", () => {
  expect(needing({ edges: [edge("a", "b"), edge("b", "a")] }, "a")).toEqual(["b"]);
});
