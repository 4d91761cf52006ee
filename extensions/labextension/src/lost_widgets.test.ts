// @vitest-environment happy-dom
import { Signal } from "@lumino/signaling";
import { beforeEach, expect, test } from "vitest";
import { lookAgain, LOST, type Outputs } from "./lost_widgets.js";

/** A cell with two outputs, each in a panel beside its prompt, as JupyterLab has them. */
class Notebook implements Outputs {
  readonly rendered: unknown[] = [];
  readonly places = ["first", "second"].map((id) => {
    const node = document.createElement("div");
    node.id = id;
    node.className = "jp-OutputArea-output";
    return node;
  });
  readonly content;
  readonly disposed = new Signal<this, void>(this);

  constructor() {
    const node = document.createElement("div");
    node.append(...this.places);
    const widgets = this.places.map((place) => ({
      node: document.createElement("div"),
      widgets: [
        { node: document.createElement("div") },
        {
          node: place,
          renderModel: (model: unknown) => {
            this.rendered.push(model);
            return Promise.resolve();
          },
        },
      ],
    }));
    const outputArea = { widgets, model: { get: (index: number) => `model ${index}` } };
    this.content = { node, widgets: [{ node, outputArea }] };
  }

  async say(index: number, text: string): Promise<void> {
    this.places[index]!.textContent = text;
    await new Promise((resolve) => setTimeout(resolve));
  }
}

let notebook: Notebook;

beforeEach(() => {
  notebook = new Notebook();
  lookAgain(notebook);
});

test("a widget that was not found is looked for again, and no other", async () => {
  await notebook.say(1, LOST);
  expect(notebook.rendered).toEqual(["model 1"]);
});

test("one that was given up before anybody looked is looked for again", async () => {
  const earlier = new Notebook();
  await earlier.say(0, LOST);
  lookAgain(earlier);
  expect(earlier.rendered).toEqual(["model 0"]);
});

test("one that is not found the second time is given up", async () => {
  await notebook.say(0, LOST);
  await notebook.say(0, "Loading widget...");
  await notebook.say(0, LOST);
  expect(notebook.rendered).toEqual(["model 0"]);
});

test("whatever else is shown is let be", async () => {
  await notebook.say(0, "Error displaying widget");
  expect(notebook.rendered).toEqual([]);
});

test("a notebook that is closed is not looked after", async () => {
  notebook.disposed.emit();
  await notebook.say(0, LOST);
  expect(notebook.rendered).toEqual([]);
});
