import { KernelMessage } from "@jupyterlab/services";
import type { Kernel } from "@jupyterlab/services";
import type { JSONObject } from "@lumino/coreutils";
import { UUID } from "@lumino/coreutils";
import { Ledger } from "./ledger.js";
import { within } from "./patience.js";
import { createSubshell, deleteSubshell } from "./subshell.js";

type CommKind = "comm_open" | "comm_msg" | "comm_close";
const ledger = new Ledger(UUID.uuid4());
const used = new Set<string>();

/** A subshell that nothing has gone through for so long is given back. Milliseconds. */
const IDLE = 5 * 60_000;
/** For so long the end of a conversation may take to be read. Milliseconds. */
const FAREWELL = 2_000;

/**
 * The way of our messages into a kernel.
 *
 * Through its main shell, which answers between cells, until a subshell is asked for, which answers
 * while one runs. A subshell is a thread of the kernel's, so there is one only while it is of use:
 * a panel that can be seen sends a beat every ten seconds, and a hidden one sends nothing.
 */
export class Lane {
  constructor(private readonly kernel: Kernel.IKernelConnection) {}

  /** Answers are given while a cell runs. */
  get isDirect(): boolean {
    return this.subshell !== null;
  }

  /** Have a subshell, where there can be one; what is sent meanwhile waits for it. */
  async goDirect(): Promise<void> {
    this.isClosed = false;
    this.opening ??= this.obtain();
    await this.opening;
  }

  /** Send what belongs to a comm; what is answered, through a subshell. */
  comm(kind: CommKind, content: JSONObject): void {
    if (kind !== "comm_close") {
      void this.goDirect();
      this.putOffRest();
    }
    if (this.isObtaining) {
      void this.opening?.then(() => this.sendComm(kind, content));
    } else {
      this.sendComm(kind, content);
    }
  }

  /** The comms of a target that are open in the kernel, by their ids. */
  async openComms(target: string, isDirect: boolean): Promise<JSONObject> {
    const message = KernelMessage.createMessage<KernelMessage.ICommInfoRequestMsg>({
      ...this.envelope(isDirect ? this.subshell : null),
      msgType: "comm_info_request",
      content: { target_name: target },
    });
    const reply = await this.kernel.sendShellMessage(message, true, true).done;
    const content = reply.content as { comms?: JSONObject };
    if (content.comms === undefined) {
      throw new Error("the kernel does not tell its comms");
    }
    return content.comms;
  }

  /**
   * Give the subshell back, if there is one.
   *
   * @param isHurried - at once, as there is no later; else once the end of what was said has been
   *   read: a subshell that is deleted reads nothing more, and the kernel would go on telling us
   */
  close(isHurried = true): void {
    window.clearTimeout(this.restTimer);
    this.isClosed = true;
    const { kernel, subshell, farewell } = this;
    if (subshell === null) {
      return;
    }
    this.subshell = null;
    this.opening = null;
    const give = () => {
      used.delete(subshell);
      giveBack(kernel, subshell);
    };
    if (isHurried) {
      give();
    } else {
      void within(FAREWELL, farewell).then(give);
    }
  }

  private putOffRest(): void {
    window.clearTimeout(this.restTimer);
    this.restTimer = window.setTimeout(() => this.close(), IDLE);
  }

  private async obtain(): Promise<void> {
    this.isObtaining = true;
    const { kernel } = this;
    const made = await createSubshell(kernel).catch(() => null);
    this.isObtaining = false;
    if (made === null) {
      return; // and there is none the next time either
    }
    ledger.note(kernel.id, made);
    if (this.isClosed) {
      this.opening = null;
      giveBack(kernel, made);
      return;
    }
    this.subshell = made;
    used.add(made);
    void clearUp(kernel);
  }

  private sendComm(kind: CommKind, content: JSONObject): void {
    if (this.kernel.isDisposed) {
      return;
    }
    const message = KernelMessage.createMessage<KernelMessage.ICommMsgMsg<"shell">>({
      ...this.envelope(this.subshell),
      // The three differ in their content only, which is the caller's.
      msgType: kind as "comm_msg",
      content: content as KernelMessage.ICommMsgMsg["content"],
    });
    const sent = this.kernel.sendShellMessage(message, false, true);
    if (kind === "comm_close") {
      this.farewell = sent.done.catch(() => undefined);
    }
  }

  private envelope(subshell: string | null) {
    const { kernel } = this;
    return {
      channel: "shell" as const,
      username: kernel.username,
      session: kernel.clientId,
      ...(subshell === null ? {} : { subshellId: subshell }),
    };
  }

  private subshell: string | null = null;
  private opening: Promise<void> | null = null;
  private farewell: Promise<unknown> = Promise.resolve();
  private isObtaining = false;
  private isClosed = false;
  private restTimer: number | undefined;
}

function giveBack(kernel: Kernel.IKernelConnection, subshell: string): void {
  if (deleteSubshell(kernel, subshell)) {
    ledger.strike(kernel.id, subshell);
  }
}

/** Give back what pages that are gone have left in a kernel. */
async function clearUp(kernel: Kernel.IKernelConnection): Promise<void> {
  const left = await ledger.abandoned(kernel.id, used);
  left.forEach((subshell) => giveBack(kernel, subshell));
}
