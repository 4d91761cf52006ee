import { LOADED_TARGET } from "../ids.js";
import type { Lane } from "./lane.js";

/** How far a kernel is from talking to us; unknown where it did not say. */
export type Readiness = "loaded" | "unloaded" | "unknown";

/**
 * Ask a kernel whether nebula_lab is loaded.
 *
 * By the list of its open comms, in which there is one that says so. Evaluating something instead
 * would fire `post_execute` even where it is silent, and matplotlib would take that for the end of
 * the cell that runs and close its figures; opening a comm to find out would have a kernel without
 * us complain on its standard error.
 *
 * @param isDirect - ask in the subshell, which answers while a cell runs
 */
export async function probe(lane: Lane, isDirect: boolean): Promise<Readiness> {
  try {
    const comms = await lane.openComms(LOADED_TARGET, isDirect);
    return Object.keys(comms).length > 0 ? "loaded" : "unloaded";
  } catch {
    return "unknown"; // the kernel was restarted, or is gone
  }
}
