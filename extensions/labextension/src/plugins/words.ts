import type { PluginRow, Tone, Trans } from "@nebula-lab/common";
import { HEALTH_TONES, STATE_TONES, healthWord, stateWord } from "@nebula-lab/common";

const WORST_FIRST: ReadonlyArray<Tone> = ["bad", "doubtful", "busy"];

/** What a row says of the plugin's state. */
export function standingOf(row: PluginRow, trans: Trans): string {
  return row.leftOut === "" ? stateWord(row.state, trans) : trans.__("Left out");
}

/** How a plugin does: the worst that its state, its health and its last error say. */
export function toneOf(row: PluginRow): Tone {
  if (row.leftOut !== "") {
    return "bad";
  }
  const state = STATE_TONES[row.state];
  const tones = [state, HEALTH_TONES[row.health], row.error === "" ? state : "doubtful"];
  return WORST_FIRST.find((tone) => tones.includes(tone)) ?? state;
}

/** What is the matter with a plugin, in one line; "" where nothing is. */
export function summaryOf(row: PluginRow, trans: Trans): string {
  const isIll = row.health === "Degraded" || row.health === "Unhealthy";
  const health = isIll ? `${healthWord(row, trans)}: ${row.healthMessage}` : "";
  return [row.leftOut, row.error, health].find((text) => text !== "") ?? "";
}
