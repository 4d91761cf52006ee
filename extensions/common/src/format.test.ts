import { ENGLISH } from "./trans.js";
import { expect, test } from "vitest";
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatPercent,
  formatRate,
  formatSeconds,
} from "./format.js";

test.each([
  [null, "–"],
  [0.0000183, "18.3 µs"],
  [0.0123, "12.3 ms"],
  [1.5, "1.5 s"],
  [600, "10 min"],
])("%s seconds are read as %s", (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});

test.each([
  [null, "–"],
  [512, "512 B"],
  [58_700_000, "56 MiB"],
  [1.5 * 2 ** 30, "1.5 GiB"],
])("%s bytes are read as %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test("counts, rates, parts and moments are read", () => {
  expect(formatCount(1234)).toBe("1,234");
  expect(formatCount(1_234_567)).toBe("1.23M");
  expect(formatRate(0)).toBe("0");
  expect(formatRate(0.02)).toBe("<0.1");
  expect(formatPercent(12.34)).toBe("12.3 %");
  expect(formatAgo(100, 103, ENGLISH)).toBe("now");
  expect(formatAgo(100, 400, ENGLISH)).toBe("5 min ago");
});
