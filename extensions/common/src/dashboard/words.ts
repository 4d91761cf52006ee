import { formatAgo } from "../format.js";
import type { HealthWord, StateWord } from "../store.js";
import type { Trans } from "../trans.js";
import type { PluginRow } from "../wire.js";

/** How a reader should take something; the words beside the colour say the same. */
export type Tone = "good" | "busy" | "doubtful" | "bad" | "quiet";

export const STATE_TONES: Readonly<Record<StateWord, Tone>> = {
  Discovered: "quiet",
  Loading: "busy",
  Loaded: "good",
  Active: "good",
  Suspended: "doubtful",
  Failed: "bad",
  Unloading: "busy",
};

export const HEALTH_TONES: Readonly<Record<HealthWord, Tone>> = {
  Unknown: "quiet",
  Healthy: "good",
  Degraded: "doubtful",
  Unhealthy: "bad",
};

/** The word for a state in the reader's language. */
export function stateWord(state: StateWord, trans: Trans): string {
  const words: Readonly<Record<StateWord, string>> = {
    Discovered: trans.__("Discovered"),
    Loading: trans.__("Loading"),
    Loaded: trans.__("Loaded"),
    Active: trans.__("Active"),
    Suspended: trans.__("Suspended"),
    Failed: trans.__("Failed"),
    Unloading: trans.__("Unloading"),
  };
  return words[state];
}

/** How a plugin is; "" where nobody has asked it. */
export function healthWord(row: PluginRow, trans: Trans): string {
  const words: Readonly<Record<HealthWord, string>> = {
    Unknown: "",
    Healthy: trans.__("healthy"),
    Degraded: trans.__("degraded"),
    Unhealthy: trans.__("unhealthy"),
  };
  return words[row.health];
}

/** The first line of what went wrong last, or of why it can't be loaded. */
export function troubleOf(row: PluginRow): string {
  return (row.error || row.leftOut).split("\n", 1)[0] ?? "";
}

/** The same with how long ago it was, where that is known; `now` in seconds since 1970. */
export function troubleWithTime(row: PluginRow, now: number, trans: Trans): string {
  const trouble = troubleOf(row);
  const isDated = row.error !== "" && row.errorAt !== null;
  return isDated ? `${formatAgo(row.errorAt, now, trans)}: ${trouble}` : trouble;
}
