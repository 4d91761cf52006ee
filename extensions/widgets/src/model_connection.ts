import type { AnyModel } from "@anywidget/types";
import type {
  Connection,
  Dispose,
  FromFrontEnd,
  FromKernel,
  LossWord,
  Status,
} from "@nebula-lab/common";
import { Signal } from "@nebula-lab/common";
import { kernelOf, type KernelLike } from "./kernel.js";

interface Enveloped {
  readonly page: string;
  readonly message: FromKernel;
}

// What of a kernel's status means that all it knew is gone.
const LOSSES: Readonly<Record<string, LossWord>> = {
  restarting: "restarted",
  autorestarting: "restarted",
  starting: "restarted",
  terminating: "ended",
  dead: "ended",
};

/** `crypto.randomUUID` is for pages that came by https alone. */
function newName(): string {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((one) => one.toString(36)).join("-");
}

/**
 * The way to the kernel by the messages of an anywidget model.
 *
 * Every page that shows a widget gets what the kernel sends to it, so each page has a name of its
 * own, and leaves alone what is for another one.
 */
export class ModelConnection implements Connection {
  private readonly page = newName();
  private readonly kernel: KernelLike | undefined;
  private readonly statuses = new Signal<Status>();
  private readonly disposals: Dispose[] = [];
  private lost: LossWord | undefined;
  private isAway = false;

  constructor(private readonly model: AnyModel) {
    this.kernel = kernelOf(model);
    this.watchModel();
    this.watchKernel();
  }

  get status(): Status {
    return this.loss === undefined ? "live" : "closed";
  }

  get loss(): LossWord | undefined {
    return this.lost ?? (this.isAway ? "away" : undefined);
  }

  send(message: FromFrontEnd): void {
    if (this.lost === undefined) {
      this.model.send({ page: this.page, message });
    }
  }

  onMessage(listener: (message: FromKernel) => void): Dispose {
    const take = (content: Enveloped) => {
      if (content.page === this.page) {
        listener(content.message);
      }
    };
    this.model.on("msg:custom", take);
    return () => this.model.off("msg:custom", take);
  }

  onStatus(listener: (status: Status) => void): Dispose {
    return this.statuses.listen(listener);
  }

  dispose(): void {
    for (const dispose of this.disposals) {
      dispose();
    }
  }

  /** The front end says of a model that nobody is at its other end any more. */
  private watchModel(): void {
    const tell = () => this.lose("restarted");
    this.model.on("comm_live_update", tell);
    this.disposals.push(() => this.model.off("comm_live_update", tell));
  }

  private watchKernel(): void {
    const { kernel } = this;
    if (!kernel) {
      return;
    }
    const byStatus = (_: unknown, status: string) => {
      const loss = LOSSES[status];
      if (loss) {
        this.lose(loss);
      }
    };
    const byConnection = (_: unknown, status: string) => this.setAway(status !== "connected");
    const byEnd = () => this.lose("ended");
    kernel.statusChanged.connect(byStatus);
    kernel.connectionStatusChanged.connect(byConnection);
    kernel.disposed?.connect(byEnd);
    this.disposals.push(() => {
      kernel.statusChanged.disconnect(byStatus);
      kernel.connectionStatusChanged.disconnect(byConnection);
      kernel.disposed?.disconnect(byEnd);
    });
  }

  /** A kernel that ends after a restart is still one that was restarted. */
  private lose(loss: LossWord): void {
    if (this.lost === undefined || loss === "ended") {
      this.lost = loss;
      this.statuses.emit(this.status);
    }
  }

  private setAway(isAway: boolean): void {
    if (isAway !== this.isAway) {
      this.isAway = isAway;
      this.statuses.emit(this.status);
    }
  }
}
