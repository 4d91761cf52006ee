import type { PluginRow } from "../wire.js";

export type SortKey =
  "id" | "state" | "health" | "rate" | "latency" | "failures" | "cpu" | "memory" | "reloads";

export interface Order {
  readonly key: SortKey;
  readonly descending: boolean;
}

const KEYS: Readonly<Record<SortKey, (row: PluginRow) => number | string>> = {
  id: (row) => row.id.toLowerCase(),
  state: (row) => row.state,
  health: (row) => row.health,
  rate: (row) => row.rate,
  latency: (row) => row.latency?.[1] ?? -1,
  failures: (row) => row.failures,
  cpu: (row) => row.cpu ?? -1,
  memory: (row) => row.memory ?? -1,
  reloads: (row) => row.reloads,
};

/** Ids in order; of those that are alike, by id. */
export function sorted(rows: Iterable<PluginRow>, order: Order): string[] {
  const key = KEYS[order.key];
  const sign = order.descending ? -1 : 1;
  return [...rows]
    .map((row) => ({ id: row.id, value: key(row) }))
    .sort((a, b) => sign * compare(a.value, b.value) || compare(a.id, b.id))
    .map((entry) => entry.id);
}

function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether a row has all words of a filter, somewhere in what is shown of it. */
export function matches(row: PluginRow, filter: string): boolean {
  const text = [row.id, row.name, row.state, row.health, row.description, row.error]
    .join("\n")
    .toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
