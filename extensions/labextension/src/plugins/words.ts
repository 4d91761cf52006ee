import type { PluginRow, Trans } from "@nebula-lab/common";

export type Tone = "good" | "idle" | "quiet" | "doubtful" | "bad";

const STATES: Readonly<Record<PluginRow["state"], (trans: Trans) => string>> = {
  Active: (trans) => trans.__("Active"),
  Discovered: (trans) => trans.__("Not loaded"),
  Failed: (trans) => trans.__("Failed"),
  Loaded: (trans) => trans.__("Loaded"),
  Loading: (trans) => trans.__("Loading"),
  Suspended: (trans) => trans.__("Suspended"),
  Unloading: (trans) => trans.__("Unloading"),
};

const TONES: Readonly<Record<PluginRow["state"], Tone>> = {
  Active: "good",
  Discovered: "quiet",
  Failed: "bad",
  Loaded: "good",
  Loading: "idle",
  Suspended: "idle",
  Unloading: "idle",
};

/** A plugin's state in the user's language. */
export function stateWord(row: PluginRow, trans: Trans): string {
  return row.leftOut === "" ? STATES[row.state](trans) : trans.__("Left out");
}

/** How a plugin does, as one of a few colours that go with a shape. */
export function toneOf(row: PluginRow): Tone {
  if (row.leftOut !== "" || row.state === "Failed" || row.health === "Unhealthy") {
    return "bad";
  }
  return row.health === "Degraded" || row.error !== "" ? "doubtful" : TONES[row.state];
}

/** What is the matter with a plugin, in one line; "" where nothing is. */
export function summaryOf(row: PluginRow, trans: Trans): string {
  if (row.leftOut !== "") {
    return row.leftOut;
  }
  if (row.error !== "") {
    return row.error;
  }
  if (row.health === "Degraded") {
    return `${trans.__("Degraded")}: ${row.healthMessage}`;
  }
  return row.health === "Unhealthy" ? `${trans.__("Unhealthy")}: ${row.healthMessage}` : "";
}
