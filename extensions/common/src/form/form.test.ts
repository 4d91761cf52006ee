// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { ENGLISH } from "../trans.js";
import { ParamsForm } from "./form.js";
import { fieldKind, readText, type Schema } from "./schema.js";

const KINDS: [Schema, string][] = [
  [{ type: "string" }, "text"],
  [{ type: "integer", minimum: 0 }, "integer"],
  [{ type: "number" }, "number"],
  [{ type: "boolean" }, "flag"],
  [{ enum: ["a", 1] }, "choice"],
  [{ anyOf: [{ type: "integer" }, { type: "null" }] }, "integer"],
  [{ anyOf: [{ type: "integer" }, { type: "string" }] }, "json"],
  [{ type: "array", items: { type: "string" } }, "json"],
  [{ type: "object" }, "json"],
  [{}, "json"],
];

test.each(KINDS)("%j is typed in as %s", (schema, kind) => {
  expect(fieldKind(schema)).toBe(kind);
});

test.each([
  ["12", { type: "integer" }, 12],
  ["1.5e3", { type: "number" }, 1500],
  ["12", { type: "string" }, "12"],
  ['["a", 1]', { type: "array" }, ["a", 1]],
  ["null", {}, null],
])("%s is read as %j", (text, schema, value) => {
  expect(readText(text, schema, true)).toEqual({ kind: "value", value });
});

test.each([
  ["1.5", { type: "integer" }],
  ["9007199254740993", { type: "integer" }],
  ["abc", { type: "number" }],
  ["{", { type: "object" }],
  ["", { type: "integer" }],
])("%s is no %j", (text, schema) => {
  expect(readText(text, schema, true).kind).toBe("fault");
});

function form(schema: Schema): ParamsForm {
  const made = new ParamsForm(schema, ENGLISH);
  document.body.replaceChildren(made.element);
  return made;
}

function type(label: string, text: string): void {
  const found = [...document.querySelectorAll("label")].find((one) =>
    one.textContent?.startsWith(label),
  );
  const field = document.getElementById(found?.htmlFor ?? "") as HTMLInputElement;
  field.value = text;
}

const ADD: Schema = {
  type: "object",
  properties: {
    n: { type: "integer" },
    mode: { enum: ["fast", "slow"], default: "slow" },
    loud: { type: "boolean" },
    note: { type: "string", description: "<b>bold</b>" },
  },
  required: ["n"],
  additionalProperties: false,
};

test("what is left empty is left out, and defaults are there", () => {
  const made = form(ADD);
  type("n", "3");
  expect(made.read()).toEqual({ n: 3, mode: "slow" });
});

test("what is wrong is said beside the field, and nothing is read", () => {
  const made = form(ADD);
  type("n", "three");
  expect(made.read()).toBeUndefined();
  expect(document.querySelector('[aria-invalid="true"]')).not.toBeNull();
  expect(document.body.textContent).toContain("This is no whole number.");
});

test("a description is text, whatever is in it", () => {
  const made = form(ADD);
  expect(made.element.querySelector("b")).toBeNull();
  expect(made.element.textContent).toContain("<b>bold</b>");
});

test("a param may be called __proto__", () => {
  const made = form({
    type: "object",
    properties: Object.fromEntries([["__proto__", { type: "string" }]]),
    additionalProperties: false,
  });
  type("__proto__", "x");
  expect(Object.entries(made.read() ?? {})).toEqual([["__proto__", "x"]]);
});

test("params of an object that names none are written as JSON", () => {
  const made = form({ type: "object" });
  type("further params", '{"a": 1}');
  expect(made.read()).toEqual({ a: 1 });
});
