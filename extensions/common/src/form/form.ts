import { el, setText, uniqueId } from "../dom.js";
import type { Trans } from "../trans.js";
import { asTyped, fieldKind, readText, typeWord, withoutNull } from "./schema.js";
import type { Schema, Typed } from "./schema.js";

/** One param of a form. */
interface Field {
  readonly name: string;
  readonly element: HTMLElement;
  read(): Typed;
  complain(fault: string): void;
  focus(): void;
}

/** Asks for the params of an operation, a field for each, as its schema has them. */
export class ParamsForm {
  readonly element: HTMLElement;
  private readonly fields: Field[];
  private readonly rest: Field | undefined;

  constructor(
    schema: Schema,
    private readonly trans: Trans,
  ) {
    const required = new Set(schema.required ?? []);
    this.fields = Object.entries(schema.properties ?? {}).map(([name, one]) =>
      makeField(name, one, required.has(name), trans),
    );
    if (takesMore(schema)) {
      this.rest = makeField(trans.__("further params"), { type: "object" }, false, trans);
    }
    const shown = [...this.fields, ...(this.rest ? [this.rest] : [])];
    this.element = el(
      "div",
      { class: "nl-form" },
      ...(shown.length > 0
        ? shown.map((field) => field.element)
        : [el("p", { class: "nl-quiet" }, trans.__("It takes no params."))]),
    );
  }

  /** The params; nothing, where a field complains, which then has the focus. */
  read(): Record<string, unknown> | undefined {
    // A name such as __proto__ is a param like any other.
    const params: [string, unknown][] = [];
    let faulty: Field | undefined;
    for (const field of [...this.fields, ...(this.rest ? [this.rest] : [])]) {
      const typed = field.read();
      field.complain(typed.kind === "fault" ? this.trans.__(typed.fault) : "");
      if (typed.kind === "fault") {
        faulty ??= field;
      } else if (typed.kind === "value") {
        params.push(...(field === this.rest ? entries(typed.value) : [pair(field, typed.value)]));
      }
    }
    faulty?.focus();
    return faulty ? undefined : Object.fromEntries(params);
  }
}

function pair(field: Field, value: unknown): [string, unknown] {
  return [field.name, value];
}

function entries(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

function takesMore(schema: Schema): boolean {
  return schema.additionalProperties !== false && Object.keys(schema.properties ?? {}).length === 0;
}

type Input = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

function makeField(name: string, schema: Schema, isRequired: boolean, trans: Trans): Field {
  const input = makeInput(schema, isRequired, trans);
  const id = uniqueId("field");
  const fault = el("p", { class: "nl-field-fault", attrs: { id: `${id}-fault` } });
  const about = el(
    "p",
    { class: "nl-field-about", attrs: { id: `${id}-about` } },
    schema.description ?? "",
  );
  input.id = id;
  input.setAttribute("aria-describedby", `${about.id} ${fault.id}`);
  input.setAttribute("aria-required", String(isRequired));
  const word = isRequired ? typeWord(schema) : trans.__("%1, may be left out", typeWord(schema));
  const label = el(
    "label",
    { class: "nl-field-label", attrs: { for: id } },
    el("span", { class: "nl-field-name" }, name),
    " ",
    el("span", { class: "nl-field-type" }, word),
  );
  return {
    name,
    element: el("div", { class: "nl-field" }, label, input, about, fault),
    read: () => readInput(input, schema, isRequired),
    complain: (text) => {
      setText(fault, text);
      input.setAttribute("aria-invalid", String(text !== ""));
    },
    focus: () => input.focus(),
  };
}

function makeInput(schema: Schema, isRequired: boolean, trans: Trans): Input {
  switch (fieldKind(schema)) {
    case "flag":
      return choice([true, false], schema, isRequired, trans);
    case "choice":
      return choice(withoutNull(schema).enum ?? [], schema, isRequired, trans);
    case "json":
      return textArea(asTyped(schema), schema.type === "array" ? "[ ]" : '{ } or [ ] or "text"');
    case "text":
      return isLong(schema)
        ? textArea(asTyped(schema), placeholder(schema))
        : textInput(asTyped(schema), "text", placeholder(schema));
    default:
      return textInput(asTyped(schema), "decimal", "");
  }
}

function textInput(value: string, mode: string, hint: string): HTMLInputElement {
  const input = el("input", {
    class: "nl-input",
    attrs: { type: "text", inputmode: mode, placeholder: hint, spellcheck: "false" },
  });
  input.value = value;
  return input;
}

function textArea(value: string, hint: string): HTMLTextAreaElement {
  const area = el("textarea", {
    class: "nl-input",
    attrs: { rows: value.length > 60 ? 4 : 2, placeholder: hint, spellcheck: "false" },
  });
  area.value = value;
  return area;
}

function choice(
  values: readonly unknown[],
  schema: Schema,
  isRequired: boolean,
  trans: Trans,
): HTMLSelectElement {
  const select = el("select", { class: "nl-input" });
  const hasDefault = values.includes(schema.default);
  if (!isRequired && !hasDefault) {
    select.append(el("option", { attrs: { value: "" } }, trans.__("(left out)")));
  }
  for (const value of values) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    select.append(el("option", { attrs: { value: JSON.stringify(value) } }, text));
  }
  if (hasDefault) {
    select.value = JSON.stringify(schema.default);
  }
  return select;
}

function readInput(input: Input, schema: Schema, isRequired: boolean): Typed {
  if (input instanceof HTMLSelectElement) {
    return input.value === ""
      ? { kind: "absent" }
      : { kind: "value", value: JSON.parse(input.value) as unknown };
  }
  return readText(input.value, schema, isRequired);
}

function placeholder(schema: Schema): string {
  const hints: Readonly<Record<string, string>> = {
    "date-time": "2026-11-22T19:21:36+00:00",
    bytes: "base64",
  };
  return hints[withoutNull(schema).format ?? ""] ?? "";
}

function isLong(schema: Schema): boolean {
  return (withoutNull(schema).maxLength ?? 0) > 200;
}
