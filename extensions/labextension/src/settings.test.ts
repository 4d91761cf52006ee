import { expect, test } from "vitest";
import schema from "../schema/plugin.json";
import { DEFAULTS, SECTION_NAMES, chosen } from "./settings.js";

test("the defaults are those of the schema", () => {
  const named = Object.entries(schema.properties).map(([name, one]) => [name, one.default]);
  expect(Object.fromEntries(named)).toEqual(DEFAULTS);
});

test("every section can be chosen in the schema", () => {
  expect(Object.keys(schema.properties.sections.properties)).toEqual([...SECTION_NAMES]);
});

test("a section that is not named is shown", () => {
  expect(chosen({ sections: { graph: false } }).sections).toEqual({
    samples: true,
    problems: true,
    graph: false,
    logs: true,
  });
});

test("what is not chosen is as by default", () => {
  expect(chosen({ placement: "right", interval: undefined })).toEqual({
    ...DEFAULTS,
    placement: "right",
  });
});
