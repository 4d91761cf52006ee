import type { Part, PlacedPart } from "./placing.js";
import { placingCode } from "./placing_code.js";

/**
 * Lays out on a thread of its own, since hundreds of plugins take seconds.
 *
 * Where the page may start no worker, as a strict policy for its contents has it, it does so itself.
 */
export class LayoutThread {
  private worker: Worker | undefined;

  constructor() {
    this.worker = startWorker();
  }

  /** Where the nodes and edges of a part go; undefined once `signal` says that nobody waits. */
  async place(part: Part, signal: AbortSignal): Promise<PlacedPart | undefined> {
    const { worker } = this;
    if (worker && !signal.aborted) {
      try {
        return await asked(worker, part, signal);
      } catch {
        this.end();
      }
    }
    // Between two parts the page lives.
    await new Promise((resume) => setTimeout(resume));
    return signal.aborted ? undefined : placingCode().placePart(part);
  }

  end(): void {
    this.worker?.terminate();
    this.worker = undefined;
  }
}

function startWorker(): Worker | undefined {
  if (typeof Worker === "undefined") {
    return undefined;
  }
  const text = `const { placePart } = (${placingCode.toString()})();
onmessage = (event) => postMessage(placePart(event.data));`;
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  try {
    return new Worker(url);
  } catch {
    return undefined;
  } finally {
    // It is fetched as it starts; a URL that is taken back at once would not be found.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }
}

function asked(worker: Worker, part: Part, signal: AbortSignal): Promise<PlacedPart | undefined> {
  return new Promise((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<PlacedPart>) => resolve(event.data);
    worker.onerror = (event) => {
      event.preventDefault(); // the page does it then, and nothing has gone wrong
      reject(new Error(event.message));
    };
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
    worker.postMessage(part);
  });
}
