/** Numbers and moments as people read them; "–" where there is nothing. */

import type { Trans } from "./trans.js";

export const NOTHING = "–";

export function formatSeconds(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) {
    return NOTHING;
  }
  if (seconds < 1e-3) {
    return `${significant(seconds * 1e6)} µs`;
  }
  if (seconds < 1) {
    return `${significant(seconds * 1e3)} ms`;
  }
  return seconds < 120 ? `${significant(seconds)} s` : `${significant(seconds / 60)} min`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) {
    return NOTHING;
  }
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${significant(value)} ${UNITS[unit] ?? ""}`;
}

export function formatCount(count: number): string {
  if (count < 10_000) {
    return count.toLocaleString("en-US");
  }
  return count < 1e6 ? `${significant(count / 1e3)}k` : `${significant(count / 1e6)}M`;
}

export function formatRate(rate: number): string {
  return rate === 0 ? "0" : rate < 0.1 ? "<0.1" : significant(rate);
}

export function formatPercent(percent: number | null | undefined): string {
  return percent === null || percent === undefined ? NOTHING : `${significant(percent)} %`;
}

/** How long ago something was, both in seconds since 1970. */
export function formatAgo(at: number | null | undefined, now: number, trans: Trans): string {
  if (at === null || at === undefined) {
    return NOTHING;
  }
  const seconds = Math.max(0, now - at);
  if (seconds < 5) {
    return trans.__("now");
  }
  if (seconds < 90) {
    return trans.__("%1 s ago", Math.round(seconds));
  }
  if (seconds < 5400) {
    return trans.__("%1 min ago", Math.round(seconds / 60));
  }
  return seconds < 129_600
    ? trans.__("%1 h ago", Math.round(seconds / 3600))
    : trans.__("%1 days ago", Math.round(seconds / 86_400));
}

export function formatClock(at: number): string {
  const date = new Date(at * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function significant(value: number): string {
  if (value === 0) {
    return "0";
  }
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}
