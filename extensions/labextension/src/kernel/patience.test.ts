// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { within } from "./patience.js";

test("what comes in time is given", async () => {
  expect(await within(1_000, Promise.resolve(7))).toBe(7);
});

test("what never comes is null", async () => {
  expect(await within(1, new Promise(() => undefined))).toBeNull();
});

test("what fails is null", async () => {
  expect(await within(1_000, Promise.reject(new Error("cancelled")))).toBeNull();
});
