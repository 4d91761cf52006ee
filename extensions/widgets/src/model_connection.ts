import type { AnyModel } from "@anywidget/types";
import type { Connection, Dispose, FromFrontEnd, FromKernel, Status } from "@nebula-lab/common";

/** The way to the kernel by the messages of an anywidget model. */
export class ModelConnection implements Connection {
  // A model is not told when its kernel goes; that nothing is answered then shows it.
  readonly status: Status = "live";

  constructor(private readonly model: AnyModel) {}

  send(message: FromFrontEnd): void {
    this.model.send(message);
  }

  onMessage(listener: (message: FromKernel) => void): Dispose {
    const take = (message: FromKernel) => listener(message);
    this.model.on("msg:custom", take);
    return () => this.model.off("msg:custom", take);
  }

  onStatus(): Dispose {
    return () => undefined;
  }
}
