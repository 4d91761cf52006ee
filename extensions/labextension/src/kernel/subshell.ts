import { CommsOverSubshells, KernelMessage } from "@jupyterlab/services";
import type { Kernel } from "@jupyterlab/services";
import { within } from "./patience.js";

/** A kernel that starts on a busy machine answers late, and one that has no subshells never. */
const SUBSHELL_PATIENCE = 10_000;
const UNKNOWN_PATIENCE = 4_000;
const SUBSHELLS = "kernel subshells";

/**
 * Have a kernel make a subshell, a thread of its own that answers while a cell runs; null where it
 * can't or the user does not want it.
 *
 * It is asked for on the control channel, which answers then too: the front end's own way waits
 * until the kernel has said what it can do, and after a reload of the page a busy kernel says so
 * only when its cell has ended.
 */
export async function createSubshell(kernel: Kernel.IKernelConnection): Promise<string | null> {
  if (kernel.commsOverSubshells === CommsOverSubshells.Disabled) {
    return null;
  }
  const info = await within(UNKNOWN_PATIENCE / 4, kernel.info);
  const features = info === null ? null : (info.supported_features ?? []);
  if (features !== null && !features.includes(SUBSHELLS)) {
    return null;
  }
  const message = KernelMessage.createMessage<KernelMessage.ICreateSubshellRequestMsg>({
    msgType: "create_subshell_request",
    channel: "control",
    username: kernel.username,
    session: kernel.clientId,
    content: {},
  });
  const future = kernel.sendControlMessage(message, true, true);
  const patience = features === null ? UNKNOWN_PATIENCE : SUBSHELL_PATIENCE;
  const reply = await within(patience, future.done);
  if (reply === null) {
    future.dispose();
    return null;
  }
  const content = reply.content as { subshell_id?: unknown };
  return typeof content.subshell_id === "string" ? content.subshell_id : null;
}

/** Give a subshell back, where there still is a kernel; its thread ends. */
export function deleteSubshell(kernel: Kernel.IKernelConnection, subshell: string): boolean {
  if (kernel.isDisposed || kernel.connectionStatus !== "connected") {
    return false;
  }
  const message = KernelMessage.createMessage<KernelMessage.IDeleteSubshellRequestMsg>({
    msgType: "delete_subshell_request",
    channel: "control",
    username: kernel.username,
    session: kernel.clientId,
    content: { subshell_id: subshell },
  });
  kernel.sendControlMessage(message, false, true);
  return true;
}
