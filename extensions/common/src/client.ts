import type { Connection, Dispose, LossWord, Status } from "./connection.js";
import { Signal } from "./signal.js";
import { PROTOCOL } from "./wire.js";
import type { AnyAnswer, Failure, FromFrontEnd, FromKernel, Watch } from "./wire.js";

/** A message that is answered, without its number. */
export type Ask = DistributiveOmit<Extract<FromFrontEnd, { id: number }>, "id">;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** The kernel could not do what was asked for. */
export class RequestError extends Error {
  override readonly name = "RequestError";

  constructor(readonly failure: Omit<Failure, "type" | "id">) {
    super(failure.message);
  }
}

/** What a front end has been told of a request of its own. */
export interface Pending {
  readonly number: number;
  readonly answer: Promise<AnyAnswer>;
  /** Ask the kernel to stop it; its answer tells what came of that. */
  cancel(): void;
}

/** After so long without a sign that a message has arrived, it waits for a cell. Milliseconds. */
export const QUEUED_AFTER = 1_000;
/** Milliseconds after which a greeting that is not answered is sent again, and the next time. */
const HELLO_AGAIN = [1_500, 4_500] as const;
const BEAT = 10_000;

interface Open {
  resolve(answer: AnyAnswer): void;
  reject(error: Error): void;
  late: ReturnType<typeof setTimeout> | undefined;
}

/** Asks the kernel for things, and knows whether it listens. */
export class Client {
  /** Every message that is no answer. */
  readonly pushed = new Signal<FromKernel>();
  readonly statusChanged = new Signal<Status>();
  private readonly open = new Map<number, Open>();
  private readonly disposals: Dispose[];
  private last = 0;
  private isLate = false;
  private isWelcome = false;
  private hasLeft = false;
  private direct = false;
  private isOther = false;
  private wanted: Watch | undefined;
  private serial = 0;
  private helloTimer: ReturnType<typeof setTimeout> | undefined;
  private beat: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly connection: Connection) {
    this.disposals = [
      connection.onMessage((message) => this.take(message)),
      connection.onStatus((status) => this.statusOfConnection(status)),
    ];
    if (connection.status !== "closed") {
      this.greet();
    }
  }

  get status(): Status {
    if (this.isOther || this.hasLeft || this.connection.status === "closed") {
      return "closed";
    }
    return this.isLate ? "queued" : this.connection.status;
  }

  /** Why there is nobody to talk to, where that is known. */
  get loss(): LossWord | undefined {
    return this.hasLeft ? "left" : this.connection.loss;
  }

  /** The kernel reads what we send also while a cell runs; what is late is late for other reasons. */
  get isDirect(): boolean {
    return this.direct;
  }

  /** The kernel speaks another version of the protocol than this front end. */
  get speaksAnother(): boolean {
    return this.isOther;
  }

  /** Say what is shown from now on. */
  watch(watch: Omit<Watch, "type" | "serial">): void {
    this.wanted = { type: "watch", ...watch, serial: ++this.serial };
    const shows = watch.topics.length > 0 || (watch.logs ?? []).length > 0;
    clearInterval(this.beat);
    this.beat = shows ? setInterval(() => this.connection.send({ type: "beat" }), BEAT) : undefined;
    if (this.connection.status !== "closed") {
      this.connection.send(this.wanted);
    }
  }

  ask(message: Ask): Pending {
    const number = ++this.last;
    const answer = new Promise<AnyAnswer>((resolve, reject) => {
      if (this.status === "closed") {
        reject(new RequestError(NO_KERNEL));
        return;
      }
      const late = setTimeout(() => this.setLate(true), QUEUED_AFTER);
      this.open.set(number, { resolve, reject, late });
      this.connection.send({ ...message, id: number } as FromFrontEnd);
    });
    // A view that has gone meanwhile hears of no failure, and that is no fault of the page's.
    answer.catch(() => undefined);
    return {
      number,
      answer,
      cancel: () => this.connection.send({ type: "cancel", id: number }),
    };
  }

  dispose(): void {
    clearTimeout(this.helloTimer);
    clearInterval(this.beat);
    for (const dispose of this.disposals) {
      dispose();
    }
    this.dropAll();
  }

  private take(message: FromKernel): void {
    switch (message.type) {
      case "accepted":
        this.arrived(message.id);
        break;
      case "answer":
        this.takeOut(message.id)?.resolve(message.answer);
        break;
      case "failure":
        this.takeOut(message.id)?.reject(new RequestError(message));
        break;
      case "welcome":
        this.welcome(message.protocol, message.direct);
        break;
      case "farewell":
        this.parted();
        break;
      default:
        this.pushed.emit(message);
    }
  }

  private arrived(id: number): void {
    const open = this.open.get(id);
    if (open) {
      clearTimeout(open.late);
      open.late = undefined;
    }
    this.setLate(false);
  }

  private takeOut(id: number): Open | undefined {
    const open = this.open.get(id);
    if (open) {
      this.arrived(id);
      this.open.delete(id);
    }
    return open;
  }

  /**
   * Say that we are there. The first messages of a page may wait for the cell that runs, as the way
   * around it is still being made; those after them need not, so it is said again.
   */
  private greet(turn = 0): void {
    clearTimeout(this.helloTimer);
    this.isWelcome = false;
    this.connection.send({ type: "hello", protocol: PROTOCOL });
    const patience = HELLO_AGAIN[turn];
    if (turn > 0 && this.wanted) {
      this.connection.send(this.wanted);
    }
    if (patience !== undefined) {
      this.helloTimer = setTimeout(() => {
        this.setLate(true);
        this.greet(turn + 1);
      }, patience);
    }
  }

  private welcome(protocol: number, direct: boolean): void {
    clearTimeout(this.helloTimer);
    this.isWelcome = true;
    this.direct = direct;
    const isOther = protocol !== PROTOCOL;
    const isChanged = isOther !== this.isOther || this.hasLeft;
    this.isOther = isOther;
    this.hasLeft = false;
    if (isChanged) {
      this.statusChanged.emit(this.status);
    }
    this.setLate(false);
    if (this.wanted && !isOther) {
      // It may have overtaken our greeting, which waits for the cell while this may not: then the
      // kernel has forgotten it.
      this.connection.send(this.wanted);
    }
  }

  /** The other side has gone, and hears nothing of what we say. */
  private parted(): void {
    clearTimeout(this.helloTimer);
    this.hasLeft = true;
    this.isLate = false;
    this.dropAll();
    this.statusChanged.emit(this.status);
  }

  private statusOfConnection(status: Status): void {
    if (status === "closed") {
      clearTimeout(this.helloTimer);
      this.isLate = false;
      this.dropAll();
    } else if (!this.isWelcome) {
      this.hasLeft = false;
      this.greet();
      if (this.wanted) {
        this.connection.send(this.wanted);
      }
    }
    if (status === "closed") {
      this.isWelcome = false;
    }
    this.statusChanged.emit(this.status);
  }

  private dropAll(): void {
    for (const open of this.open.values()) {
      clearTimeout(open.late);
      open.reject(new RequestError(NO_KERNEL));
    }
    this.open.clear();
  }

  private setLate(isLate: boolean): void {
    if (isLate !== this.isLate) {
      this.isLate = isLate;
      this.statusChanged.emit(this.status);
    }
  }
}

const NO_KERNEL = {
  error: "Disconnected",
  message: "The kernel is not there any more, or nebula_lab is not loaded in it.",
  hint: "Run %load_ext nebula_lab, and then the cell that shows this.",
  details: "",
};
