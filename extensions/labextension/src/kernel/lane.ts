import { CommsOverSubshells, KernelMessage } from "@jupyterlab/services";
import type { Kernel } from "@jupyterlab/services";
import type { JSONObject } from "@lumino/coreutils";
import { within } from "./patience.js";

/** A kernel that starts on a busy machine answers late, and one that has no subshells never. */
const SUBSHELL_PATIENCE = 10_000;
const UNKNOWN_PATIENCE = 4_000;
const SUBSHELLS = "kernel subshells";

/**
 * The way of our messages into a kernel.
 *
 * A subshell answers while a cell runs. It is asked for on the control channel, which answers then
 * too: the front end"s own way waits until the kernel has said what it can do, and after a reload
 * of the page a busy kernel says so only when its cell has ended.
 */
export class Lane {
  private constructor(
    private readonly kernel: Kernel.IKernelConnection,
    private readonly subshell: string | null
  ) {}

  static async open(kernel: Kernel.IKernelConnection): Promise<Lane> {
    const isUnwanted = kernel.commsOverSubshells === CommsOverSubshells.Disabled;
    return new Lane(kernel, isUnwanted ? null : await createSubshell(kernel));
  }

  /** Answers are given while a cell runs. */
  get isDirect(): boolean {
    return this.subshell !== null;
  }

  /** Send what belongs to a comm. */
  comm(kind: "comm_open" | "comm_msg" | "comm_close", content: JSONObject): void {
    const message = KernelMessage.createMessage<KernelMessage.ICommMsgMsg<"shell">>({
      ...this.envelope(),
      // The three differ in their content only, which is the caller"s.
      msgType: kind as "comm_msg",
      content: content as KernelMessage.ICommMsgMsg["content"]
    });
    this.kernel.sendShellMessage(message, false, true);
  }

  /** Have Python evaluate expressions, without a trace in history, output or counters. */
  evaluate(expressions: JSONObject): Kernel.IShellFuture {
    const message = KernelMessage.createMessage<KernelMessage.IExecuteRequestMsg>({
      ...this.envelope(),
      msgType: "execute_request",
      content: {
        code: "",
        silent: true,
        store_history: false,
        user_expressions: expressions,
        allow_stdin: false,
        stop_on_error: false
      }
    });
    return this.kernel.sendShellMessage(message, true, true);
  }

  /** Give the subshell back, where there still is a kernel; its thread ends. */
  close(): void {
    const { kernel, subshell } = this;
    if (subshell === null || kernel.isDisposed || kernel.connectionStatus !== "connected") {
      return;
    }
    const message = KernelMessage.createMessage<KernelMessage.IDeleteSubshellRequestMsg>({
      msgType: "delete_subshell_request",
      channel: "control",
      username: kernel.username,
      session: kernel.clientId,
      content: { subshell_id: subshell }
    });
    kernel.sendControlMessage(message, false, true);
  }

  private envelope() {
    const { kernel, subshell } = this;
    return {
      channel: "shell" as const,
      username: kernel.username,
      session: kernel.clientId,
      ...(subshell === null ? {} : { subshellId: subshell })
    };
  }
}

async function createSubshell(kernel: Kernel.IKernelConnection): Promise<string | null> {
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
    content: {}
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
