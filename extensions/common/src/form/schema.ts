/** JSON Schema of the closed vocabulary that nebula_lab lets through. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly format?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
}

/** How a value is typed in. */
export type FieldKind = "text" | "number" | "integer" | "flag" | "choice" | "json";

/** The field that fits a schema; for what no field of its own fits, JSON. */
export function fieldKind(schema: Schema): FieldKind {
  if (schema.enum) {
    return "choice";
  }
  const single = withoutNull(schema);
  switch (single.enum ? "enum" : single.type) {
    case "enum":
      return "choice";
    case "string":
      return "text";
    case "integer":
      return "integer";
    case "number":
      return "number";
    case "boolean":
      return "flag";
    default:
      return "json";
  }
}

/** The one schema beside null of an optional value; the schema itself where there are more. */
export function withoutNull(schema: Schema): Schema {
  const others = schema.anyOf?.filter((one) => one.type !== "null");
  return others?.length === 1 && others[0] ? others[0] : schema;
}

/** The type in a word or two, for people. */
export function typeWord(schema: Schema): string {
  if (schema.enum) {
    return "one of";
  }
  if (schema.anyOf) {
    return schema.anyOf.map(typeWord).join(" or ");
  }
  if (schema.type === "array" && schema.items?.type) {
    return `array of ${typeWord(schema.items)}`;
  }
  return schema.format ?? schema.type ?? "any";
}

/** What a person typed, as a value; `absent` leaves the param out. */
export type Typed =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "absent" }
  | { readonly kind: "fault"; readonly fault: string };

/** Read the text of a field. */
export function readText(text: string, schema: Schema, isRequired: boolean): Typed {
  const kind = fieldKind(schema);
  if (text === "" && !(isRequired && kind === "text")) {
    return isRequired ? { kind: "fault", fault: "This is needed." } : { kind: "absent" };
  }
  switch (kind) {
    case "text":
      return { kind: "value", value: text };
    case "integer":
      return /^[+-]?\d+$/.test(text.trim())
        ? readInteger(text.trim())
        : { kind: "fault", fault: "This is no whole number." };
    case "number":
      return Number.isFinite(Number(text)) && text.trim() !== ""
        ? { kind: "value", value: Number(text) }
        : { kind: "fault", fault: "This is no number." };
    default:
      return readJson(text);
  }
}

function readInteger(text: string): Typed {
  const value = Number(text);
  return Number.isSafeInteger(value)
    ? { kind: "value", value }
    : { kind: "fault", fault: "This is too large to be sent exactly; call it from a cell." };
}

function readJson(text: string): Typed {
  try {
    return { kind: "value", value: JSON.parse(text) as unknown };
  } catch {
    return { kind: "fault", fault: "This is no JSON; a text needs quotes." };
  }
}

/** A default as it would be typed in. */
export function asTyped(schema: Schema): string {
  const value = schema.default;
  if (value === undefined || value === null) {
    return "";
  }
  return fieldKind(schema) === "text" && typeof value === "string" ? value : JSON.stringify(value);
}
