import type { PluginRow, Trans } from "@nebula-lab/common";
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatPercent,
  formatRate,
  formatSeconds,
  healthWord,
} from "@nebula-lab/common";

/** What there is to know of a plugin: names and values, in the order in which people look. */
export function factsOf(row: PluginRow, trans: Trans): Array<[string, string]> {
  const now = Date.now() / 1000;
  const facts: Array<[string, string]> = [
    [trans.__("Health"), healthWord(row, trans) || trans.__("not asked yet")],
    [trans.__("Calls"), `${formatCount(row.executions)} · ${formatRate(row.rate)}/s`],
    [trans.__("Failures"), formatCount(row.failures)],
    [trans.__("p50 · p95 · p99"), latencyOf(row)],
    [trans.__("Processor"), formatPercent(row.cpu)],
    [trans.__("Memory"), formatBytes(row.memory)],
    [trans.__("Reloads · restarts"), `${row.reloads} · ${row.restarts}`],
    [trans.__("Sandbox"), row.sandbox],
    [trans.__("Rights"), row.rights.length === 0 ? trans.__("none") : row.rights.join(", ")],
    [trans.__("Process"), row.pid === null ? trans.__("none") : String(row.pid)],
    [trans.__("Last used"), formatAgo(row.lastUsed, now, trans)],
  ];
  if (row.errorAt !== null) {
    facts.push([trans.__("Last error"), formatAgo(row.errorAt, now, trans)]);
  }
  return row.description === "" ? facts : [[trans.__("About"), row.description], ...facts];
}

function latencyOf(row: PluginRow): string {
  return row.latency === null ? formatSeconds(null) : row.latency.map(formatSeconds).join(" · ");
}
