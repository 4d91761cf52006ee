import { Signal } from "./signal.js";
import type {
  Changes,
  FromKernel,
  Graph,
  LogRow,
  PluginRow,
  Snapshot,
  Totals,
  TrendPoint,
} from "./wire.js";

export type StateWord = PluginRow["state"];
export type HealthWord = PluginRow["health"];

/** What has changed: rows by id, and whether there are others than before. */
export interface StoreChange {
  readonly ids: ReadonlySet<string>;
  readonly membership: boolean;
}

const TREND_POINTS = 60;
const LOG_LINES = 1_000;
const NO_TOTALS: Totals = {
  plugins: 0,
  serving: 0,
  failed: 0,
  executions: 0,
  failures: 0,
  errors: 0,
  notes: 0,
  problems: 0,
};

/** What the kernel has told: snapshots and differences put together. */
export class Store {
  readonly changed = new Signal<StoreChange>();
  readonly graphChanged = new Signal<Graph>();
  readonly logsChanged = new Signal<string>();
  totals: Totals = NO_TOTALS;
  graph: Graph | undefined;
  isFilled = false;
  private readonly rowsById = new Map<string, PluginRow>();
  private readonly trends = new Map<string, TrendPoint[]>();
  private readonly logs = new Map<string, LogRow[]>();

  /** Every row, by id. */
  get rows(): ReadonlyMap<string, PluginRow> {
    return this.rowsById;
  }

  row(id: string): PluginRow | undefined {
    return this.rowsById.get(id);
  }

  /** The last minute or so of a plugin's calls, oldest first. */
  trend(id: string): readonly TrendPoint[] {
    return this.trends.get(id) ?? [];
  }

  /** The lines of a plugin whose logs are followed, oldest first. */
  lines(id: string): readonly LogRow[] {
    return this.logs.get(id) ?? [];
  }

  /** Forget the lines of a plugin that is no longer followed. */
  forgetLines(id: string): void {
    this.logs.delete(id);
  }

  take(message: FromKernel): void {
    switch (message.type) {
      case "snapshot":
        this.takeSnapshot(message);
        break;
      case "changes":
        this.takeChanges(message);
        break;
      case "graphChanged":
        this.graph = message.graph;
        this.graphChanged.emit(message.graph);
        break;
      case "logLines":
        this.takeLines(message.plugin, message.lines, message.missed);
        break;
      default:
    }
  }

  private takeSnapshot(message: Snapshot): void {
    const ids = new Set(this.rowsById.keys());
    this.rowsById.clear();
    this.trends.clear();
    for (const row of message.plugins) {
      this.rowsById.set(row.id, row);
      ids.add(row.id);
    }
    for (const trend of message.trends) {
      this.trends.set(trend.plugin, trend.points.slice(-TREND_POINTS));
    }
    this.totals = message.totals;
    this.isFilled = true;
    this.changed.emit({ ids, membership: true });
  }

  private takeChanges(message: Changes): void {
    const ids = new Set<string>();
    for (const id of message.removed) {
      this.rowsById.delete(id);
      this.trends.delete(id);
      ids.add(id);
    }
    for (const row of message.added) {
      this.rowsById.set(row.id, row);
      ids.add(row.id);
    }
    for (const change of message.plugins) {
      const row = this.rowsById.get(change.id);
      if (row) {
        const next: PluginRow = { ...row, ...change };
        this.rowsById.set(change.id, next);
        ids.add(change.id);
        if (change.rate !== undefined || change.latency !== undefined) {
          this.addPoint(next, message.at);
        }
      }
    }
    this.totals = message.totals ?? this.totals;
    this.changed.emit({ ids, membership: message.added.length + message.removed.length > 0 });
  }

  private addPoint(row: PluginRow, at: number): void {
    if (!row.latency || row.rate === 0) {
      return;
    }
    const points = this.trends.get(row.id) ?? [];
    const [p50, p95, p99] = row.latency;
    points.push({ at, rate: row.rate, p50, p95, p99 });
    this.trends.set(row.id, points.slice(-TREND_POINTS));
  }

  private takeLines(plugin: string, lines: readonly LogRow[], missed: number): void {
    const known = [...(this.logs.get(plugin) ?? [])];
    if (missed > 0) {
      const at = lines[0]?.at ?? Date.now() / 1000;
      known.push({ at, level: 30, stream: "log", text: `… ${missed} lines are missing here` });
    }
    this.logs.set(plugin, [...known, ...unknownOf(lines, known)].slice(-LOG_LINES));
    this.logsChanged.emit(plugin);
  }
}

/** Those that are not known yet: whoever is fed again after a rest is sent all that is kept. */
function unknownOf(lines: readonly LogRow[], known: readonly LogRow[]): readonly LogRow[] {
  const [first, last] = [lines[0], known.at(-1)];
  if (first === undefined || last === undefined || first.at > last.at) {
    return lines;
  }
  const keys = new Set(known.map(keyOf));
  return lines.filter((line) => !keys.has(keyOf(line)));
}

function keyOf({ at, stream, text }: LogRow): string {
  return `${at} ${stream} ${text}`;
}
