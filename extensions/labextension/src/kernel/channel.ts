import type { Connection, Dispose, FromFrontEnd, FromKernel, Status } from "@nebula-lab/common";
import { Signal } from "@nebula-lab/common";
import type { JSONObject } from "@lumino/coreutils";
import { UUID } from "@lumino/coreutils";
import { COMM_TARGET } from "../ids.js";
import type { Lane } from "./lane.js";

/**
 * One conversation with the kernel, over a comm that we open.
 *
 * The comm is made of plain messages, not by `kernel.createComm`, which only the first of several
 * connections to a kernel may use, and which starts a subshell of its own for each target.
 */
export class Channel implements Connection {
  /** @param closed - called when nobody needs it any more */
  constructor(private readonly closed: (channel: Channel) => void) {}

  get status(): Status {
    return this.comm === "" ? "closed" : "live";
  }

  /** The comm's id; "" while there is none. */
  get commId(): string {
    return this.comm;
  }

  send(message: FromFrontEnd): void {
    if (this.comm !== "") {
      const data = message as unknown as JSONObject;
      this.lane?.comm("comm_msg", { comm_id: this.comm, data });
    }
  }

  onMessage(listener: (message: FromKernel) => void): Dispose {
    return this.messages.listen(listener);
  }

  onStatus(listener: (status: Status) => void): Dispose {
    return this.statuses.listen(listener);
  }

  /** Begin to talk. */
  open(lane: Lane): void {
    this.lane = lane;
    this.comm = UUID.uuid4();
    lane.comm("comm_open", { comm_id: this.comm, target_name: COMM_TARGET, data: {} });
    this.statuses.emit("live");
  }

  receive(message: FromKernel): void {
    this.messages.emit(message);
  }

  /** The other end is gone, or is left; with `politely`, it is told. */
  drop(politely: boolean): void {
    const { comm, lane } = this;
    this.comm = "";
    this.lane = null;
    if (comm !== "") {
      if (politely) {
        lane?.comm("comm_close", { comm_id: comm, data: {} });
      }
      this.statuses.emit("closed");
    }
  }

  dispose(): void {
    this.closed(this);
  }

  private readonly messages = new Signal<FromKernel>();
  private readonly statuses = new Signal<Status>();
  private lane: Lane | null = null;
  private comm = "";
}
