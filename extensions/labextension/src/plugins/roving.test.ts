// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { moveFocus } from "./roving.js";

const items = [0, 1, 2].map(() => document.createElement("button"));
document.body.append(...items);
items.forEach((item) => item.addEventListener("keydown", (event) => moveFocus(event, items)));

afterEach(() => (document.activeElement as HTMLElement).blur());

function press(from: number, key: string): number {
  const item = items[from];
  item?.focus();
  item?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  return items.findIndex((one) => one === document.activeElement);
}

test("the arrow keys go to the neighbours", () => {
  expect(press(1, "ArrowDown")).toBe(2);
  expect(press(1, "ArrowUp")).toBe(0);
});

test("Home and End go to the ends", () => {
  expect(press(1, "Home")).toBe(0);
  expect(press(1, "End")).toBe(2);
});

test("the ends are no doors", () => {
  expect(press(0, "ArrowUp")).toBe(0);
  expect(press(2, "ArrowDown")).toBe(2);
});

test("other keys are left alone", () => {
  expect(press(1, "Enter")).toBe(1);
});
