import type { FromFrontEnd, FromKernel } from "./wire.js";

/**
 * live: messages get to the kernel at once. queued: what is sent waits until a cell has ended.
 * closed: there is no kernel, or nebula_lab is not loaded in it.
 */
export type Status = "live" | "queued" | "closed";

/**
 * Why a connection is closed. restarted: the kernel knows nothing of us any more. ended: there is
 * no kernel. left: nebula_lab was unloaded or loaded anew. away: it may come back by itself.
 */
export type LossWord = "restarted" | "ended" | "left" | "away";

/** Ends what it was given for; can be called again. */
export type Dispose = () => void;

/** A way to the kernel, whatever carries the messages: an anywidget model or a comm. */
export interface Connection {
  readonly status: Status;
  /** Why it is closed, where that is known. */
  readonly loss?: LossWord | undefined;
  send(message: FromFrontEnd): void;
  /** Be given each message, as it came; nothing is kept for who listens later. */
  onMessage(listener: (message: FromKernel) => void): Dispose;
  onStatus(listener: (status: Status) => void): Dispose;
}
