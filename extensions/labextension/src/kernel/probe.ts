import type { KernelMessage } from "@jupyterlab/services";
import type { JSONObject } from "@lumino/coreutils";
import { COMM_TARGET } from "../ids.js";
import type { Lane } from "./lane.js";

/** How far a kernel is from talking to us; unknown where it did not say. */
export type Readiness = "loaded" | "unloaded" | "missing" | "unknown";

// Opening a comm to find out would have a kernel without us complain on its standard error.
const EXPRESSIONS: JSONObject = {
  loaded: `'${COMM_TARGET}' in get_ipython().kernel.comm_manager.targets`,
  installed: "__import__('importlib.util').util.find_spec('nebula_lab') is not None"
};

/** A question that is under way: the number of its message, and the answer. */
export interface Probe {
  readonly messageId: string;
  readonly readiness: Promise<Readiness>;
}

/** Ask a Python kernel whether nebula_lab is loaded, or could be. Imports nothing there. */
export function probe(lane: Lane): Probe {
  const future = lane.evaluate(EXPRESSIONS);
  const readiness = future.done.then(
    reply => read((reply as KernelMessage.IExecuteReplyMsg).content),
    // The kernel was restarted, or is gone.
    (): Readiness => "unknown"
  );
  return { messageId: future.msg.header.msg_id, readiness };
}

function read(content: KernelMessage.IExecuteReplyMsg['content']): Readiness {
  if (content.status !== "ok") {
    return "unknown";
  }
  if (isTrue(content.user_expressions["loaded"])) {
    return "loaded";
  }
  return isTrue(content.user_expressions["installed"]) ? "unloaded" : "missing";
}

function isTrue(value: unknown): boolean {
  const data = (value as { data?: { "text/plain"?: unknown } } | undefined)?.data;
  return data?.["text/plain"] === "True";
}
