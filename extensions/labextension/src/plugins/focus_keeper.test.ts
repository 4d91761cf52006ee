// @vitest-environment happy-dom
import { beforeEach, expect, test } from "vitest";
import { FocusKeeper } from "./focus_keeper.js";

const root = document.createElement("div");
const buttons = ["load", "unload", "reload"].map((name) => {
  const button = document.createElement("button");
  button.id = name;
  return button;
});
const [load, unload, reload] = buttons as [HTMLButtonElement, HTMLButtonElement, HTMLButtonElement];
const elsewhere = document.createElement("button");
root.append(...buttons);
document.body.append(root, elsewhere);

let keeper: FocusKeeper;

beforeEach(() => {
  keeper = new FocusKeeper([root], () => buttons);
  buttons.forEach((button) => {
    button.hidden = button.disabled = false;
  });
  (document.activeElement as HTMLElement).blur();
});

/** As a browser does with the next frame. */
function lose(): void {
  (document.activeElement as HTMLElement).blur();
}

test("from a button that is hidden it goes to the first that is shown", () => {
  load.focus();
  keeper.note();
  load.hidden = true;
  keeper.settle();
  expect(document.activeElement).toBe(unload);
});

test("where no button makes sense, it is owed until one does", () => {
  reload.focus();
  keeper.note();
  buttons.forEach((button) => (button.hidden = true));
  lose();
  keeper.settle();
  expect(document.activeElement).toBe(document.body);
  keeper.note();
  load.hidden = false;
  keeper.settle();
  expect(document.activeElement).toBe(load);
});

test("a button at rest is passed over, and given it afterwards", () => {
  reload.focus();
  keeper.note();
  buttons.forEach((button) => (button.disabled = true));
  lose();
  keeper.settle();
  load.hidden = unload.hidden = true;
  reload.disabled = false;
  keeper.settle();
  expect(document.activeElement).toBe(reload);
});

test("a focus that has gone elsewhere is let go", () => {
  load.focus();
  keeper.note();
  load.hidden = true;
  elsewhere.focus();
  keeper.settle();
  expect(document.activeElement).toBe(elsewhere);
  lose();
  keeper.settle();
  expect(document.activeElement).toBe(document.body);
});

test("what is found in its place is let be until it is taken away", () => {
  load.focus();
  keeper.note();
  keeper.settle();
  keeper.note();
  load.hidden = true;
  lose();
  keeper.settle();
  expect(document.activeElement).toBe(unload);
});

test("a focus that was elsewhere is not taken", () => {
  elsewhere.focus();
  keeper.note();
  load.hidden = true;
  lose();
  keeper.settle();
  expect(document.activeElement).toBe(document.body);
});
