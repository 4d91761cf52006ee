import { expect, test } from "vitest";
import { clip } from "./clip.js";

test("a short text stays as it is", () => {
  expect(clip("counter", 7)).toBe("counter");
});

test("a long text is cut to so many characters, and says so", () => {
  expect(clip("x".repeat(1_000_000), 10)).toBe("xxxxxxxxx…");
});
