import type { KernelMessage } from "@jupyterlab/services";

/** A cell that names us may load us at once, or after an import that takes long. Milliseconds. */
const AFTER_NAME = [300, 700, 1_500, 3_000, 6_000, 12_000];
const AFTER_CELL = [100];

/** Tells from what a kernel publishes when nebula_lab may just have been loaded there. */
export class Suspicion {
  /** @param look - find out whether it has */
  constructor(private readonly look: () => void) {}

  /** A request of our own, which changes nothing. */
  ignore(messageId: string): void {
    this.own.add(messageId);
  }

  /** Whether a message says that a cell of the user's has ended. */
  isCellEnd(message: KernelMessage.IIOPubMessage): boolean {
    const content = message.content as { execution_state?: unknown };
    return (
      message.header.msg_type === "status" &&
      content.execution_state === "idle" &&
      this.isOfCell(message)
    );
  }

  consider(message: KernelMessage.IIOPubMessage): void {
    const content = message.content as { code?: unknown };
    const isInput = message.header.msg_type === "execute_input";
    if (isInput && this.isOfCell(message) && String(content.code).includes("nebula_lab")) {
      this.plan(AFTER_NAME);
    } else if (this.isCellEnd(message)) {
      this.plan(AFTER_CELL);
    }
  }

  rest(): void {
    window.clearTimeout(this.timer);
    this.timer = undefined;
  }

  private isOfCell(message: KernelMessage.IIOPubMessage): boolean {
    const parent = message.parent_header as Partial<KernelMessage.IHeader>;
    return parent.msg_type === "execute_request" && !this.own.has(parent.msg_id ?? "");
  }

  private plan(delays: ReadonlyArray<number>): void {
    this.rest();
    const [delay, ...later] = delays;
    if (delay !== undefined) {
      this.timer = window.setTimeout(() => {
        this.look();
        this.plan(later);
      }, delay);
    }
  }

  private timer: number | undefined;
  private readonly own = new Set<string>();
}
