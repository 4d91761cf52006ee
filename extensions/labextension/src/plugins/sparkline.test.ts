import { expect, test } from "vitest";
import { pointsOf } from "./sparkline.js";

test("one value is no line", () => {
  expect(pointsOf([3])).toBe("");
});

test("the highest value touches the upper edge, and nothing the lower", () => {
  expect(pointsOf([0, 10])).toBe("1.5,14.5 54.5,1.5");
});

test("a plugin that nobody calls has a line at the lower edge", () => {
  expect(pointsOf([0, 0])).toBe("1.5,14.5 54.5,14.5");
});
