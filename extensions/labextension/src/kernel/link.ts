import type { FromKernel } from "@nebula-lab/common";
import { Signal } from "@nebula-lab/common";
import type { Kernel, KernelMessage } from "@jupyterlab/services";
import type { IDisposable } from "@lumino/disposable";
import { Channel } from "./channel.js";
import { Lane } from "./lane.js";
import { within } from "./patience.js";
import type { Readiness } from "./probe.js";
import { probe } from "./probe.js";
import { Suspicion } from "./suspicion.js";

/**
 * How we stand with a kernel.
 *
 * connecting: finding out. waiting: it is asked, and does not answer while its cell runs. foreign:
 * it does not run Python. missing: nebula_lab is not installed there. unloaded: it is not loaded.
 * loading: it has been told to load it. open: we talk. silent: it does not answer. restarting,
 * dead: as they say.
 */
export type Standing =
  | "connecting"
  | "waiting"
  | "foreign"
  | "missing"
  | "unloaded"
  | "loading"
  | "open"
  | "silent"
  | "restarting"
  | "dead";

const WAITING_AFTER = 1_000;
/** A kernel that was restarted may say nothing the first time. */
const MOST_LOOKS = 4;
/** How we may stand while it has been loaded, and nobody has told us. */
const CURIOUS: ReadonlySet<Standing> = new Set<Standing>([
  "connecting",
  "waiting",
  "unloaded",
  "missing",
  "silent",
]);
const NOT_INSTALLED = /^ModuleNotFoundError: No module named 'nebula_lab'/;

/** Finds out whether nebula_lab is loaded in a kernel, and opens channels to it where it is. */
export class KernelLink implements IDisposable {
  readonly changed = new Signal<Standing>();
  /** A cell has ended. */
  readonly cellEnded = new Signal<void>();

  constructor(readonly kernel: Kernel.IKernelConnection) {
    kernel.iopubMessage.connect(this.onPublished, this);
    kernel.statusChanged.connect(this.onKernelStatus, this);
    kernel.connectionStatusChanged.connect(this.onConnectionStatus, this);
    kernel.disposed.connect(this.dispose, this);
    window.addEventListener("pagehide", this.onPageHide);
    window.addEventListener("pageshow", this.onPageShow);
    void this.connect();
  }

  get standing(): Standing {
    return this._standing;
  }

  /** Why loading has failed; else "". */
  get remark(): string {
    return this._remark;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** A conversation, which is closed until there is somebody to talk to, and again after that. */
  channel(): Channel {
    const channel = new Channel((one) => {
      one.drop(this.isReachable);
      this.channels.delete(one);
    });
    this.channels.add(channel);
    if (this._standing === "open" && this.lane !== null) {
      channel.open(this.lane);
    }
    return channel;
  }

  /** Begin anew, whatever came of the last time. */
  async connect(): Promise<void> {
    const round = this.leave(this.isReachable, false);
    if (this.kernel.isDisposed || this.kernel.status === "dead") {
      return this.stand("dead");
    }
    this.stand("connecting");
    if (this.kernel.connectionStatus !== "connected") {
      return; // and will be told when it is
    }
    const spec = await this.kernel.spec;
    if (round !== this.round) {
      return;
    }
    if (spec !== undefined && spec.language.toLowerCase() !== "python") {
      return this.stand("foreign");
    }
    this.lane = new Lane(this.kernel);
    this.looks = this.look(MOST_LOOKS);
    await this.looks;
  }

  /** Load nebula_lab in the kernel; an error is the remark. */
  async load(): Promise<void> {
    const { round } = this;
    this.stand("loading");
    const future = this.kernel.requestExecute({
      code: "%load_ext nebula_lab",
      silent: true,
      store_history: false,
      stop_on_error: false,
    });
    this.suspicion.ignore(future.msg.header.msg_id);
    const problem = await future.done.then(
      (reply) => problemOf(reply.content),
      () => "",
    );
    if (round !== this.round) {
      return;
    }
    if (problem !== "") {
      return this.stand(NOT_INSTALLED.test(problem) ? "missing" : "unloaded", problem);
    }
    await this.look(MOST_LOOKS);
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this.leave(this.isReachable);
    this.channels.clear();
    window.removeEventListener("pagehide", this.onPageHide);
    window.removeEventListener("pageshow", this.onPageShow);
    this.kernel.iopubMessage.disconnect(this.onPublished, this);
    this.kernel.statusChanged.disconnect(this.onKernelStatus, this);
    this.kernel.connectionStatusChanged.disconnect(this.onConnectionStatus, this);
    this.kernel.disposed.disconnect(this.dispose, this);
    this.stand("dead");
  }

  /** Ask whether nebula_lab is there, and open the channels if it is. */
  private async look(tries = 1): Promise<void> {
    const { lane, round } = this;
    if (lane === null || this._standing === "open") {
      return;
    }
    const found = await this.ask(lane);
    if (round !== this.round || this.standing === "open") {
      return;
    }
    if (found === "unknown") {
      return tries > 1 ? this.look(tries - 1) : this.stand("silent");
    }
    if (found !== "loaded") {
      lane.close();
      // That it is not installed is known from an attempt to load it.
      return this._standing === "missing"
        ? undefined
        : this.stand(found, found === this._standing ? this._remark : "");
    }
    this.suspicion.rest();
    await lane.goDirect();
    if (round !== this.round) {
      return lane.close();
    }
    this.stand("open");
    this.channels.forEach((channel) => channel.open(lane));
  }

  /** After the looks that are under way, since each gives back the subshell that it needed. */
  private lookInTurn(): void {
    this.looks = this.looks.then(() => this.look());
  }

  /** Ask by way of the main shell; where a cell keeps it from answering, by a subshell as well. */
  private async ask(lane: Lane): Promise<Readiness> {
    const { round } = this;
    const plain = probe(lane, false);
    const early = await within(WAITING_AFTER, plain);
    if (early !== null || round !== this.round) {
      return early ?? "unknown";
    }
    this.standIf(round, "waiting");
    await lane.goDirect();
    return lane.isDirect ? Promise.race([plain, probe(lane, true)]) : plain;
  }

  private get isReachable(): boolean {
    const { isDisposed, status, connectionStatus } = this.kernel;
    return !isDisposed && status !== "dead" && connectionStatus === "connected";
  }

  /** Give up what there is of conversations; the number of the next round. */
  private leave(politely: boolean, isHurried = true): number {
    this.suspicion.rest();
    this.channels.forEach((channel) => channel.drop(politely));
    if (politely) {
      this.lane?.close(isHurried);
    }
    this.lane = null;
    this.looks = Promise.resolve();
    this.round += 1;
    return this.round;
  }

  private standIf(round: number, standing: Standing): void {
    if (round === this.round && this._standing === "connecting") {
      this.stand(standing);
    }
  }

  private stand(standing: Standing, remark = ""): void {
    if (standing !== this._standing || remark !== this._remark) {
      this._standing = standing;
      this._remark = remark;
      this.changed.emit(standing);
    }
  }

  private onPublished(_: Kernel.IKernelConnection, message: KernelMessage.IIOPubMessage): void {
    const kind = message.header.msg_type;
    if (kind === "comm_msg" || kind === "comm_close") {
      this.onComm(kind, message.content as { comm_id: string; data: unknown });
    } else if (this.suspicion.isCellEnd(message)) {
      this.cellEnded.emit();
    }
    // Also while we ask: the cell may have loaded it just after the answer was given.
    if (CURIOUS.has(this._standing)) {
      this.suspicion.consider(message);
    }
  }

  private onComm(kind: string, content: { comm_id: string; data: unknown }): void {
    const channel = [...this.channels].find((one) => one.commId === content.comm_id);
    if (channel === undefined) {
      return;
    }
    if (kind === "comm_msg") {
      return channel.receive(content.data as FromKernel);
    }
    // As by %unload_ext: it is found out whether it is loaded again.
    channel.drop(false);
    void this.connect();
  }

  private onKernelStatus(_: Kernel.IKernelConnection, status: Kernel.Status): void {
    if (status === "restarting" || status === "autorestarting") {
      this.leave(false);
      this.stand("restarting");
    } else if (status === "dead") {
      this.leave(false);
      this.stand("dead");
    }
  }

  private onConnectionStatus(
    _: Kernel.IKernelConnection,
    status: Kernel.ConnectionStatus,
  ): void {
    // After a restart, and when the server is back. A status of the kernel may still be the old
    // one's, but what is sent over a new connection gets to the new one.
    if (status === "connected") {
      void this.connect();
    }
  }

  private readonly onPageHide = () => void this.leave(this.isReachable);
  private readonly onPageShow = (event: PageTransitionEvent) => {
    if (event.persisted) {
      void this.connect(); // it was kept while another page was shown
    }
  };
  private readonly channels = new Set<Channel>();
  private readonly suspicion = new Suspicion(() => this.lookInTurn());
  private looks = Promise.resolve();
  private lane: Lane | null = null;
  private round = 0;
  private _standing: Standing = "connecting";
  private _remark = "";
  private _isDisposed = false;
}

function problemOf(content: KernelMessage.IExecuteReplyMsg["content"]): string {
  if (content.status === "error") {
    return `${content.ename}: ${content.evalue}`;
  }
  return content.status === "ok" ? "" : content.status;
}
