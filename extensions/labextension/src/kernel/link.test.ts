// @vitest-environment happy-dom
import type { Kernel, KernelMessage } from "@jupyterlab/services";
import { Signal } from "@lumino/signaling";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { KernelLink } from "./link.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const UNLOADED = {};
const LOADED = { mark: { target_name: "nebula_lab.loaded" } };

/** A kernel whose questions are answered by the test; it has no subshells. */
class FakeKernel {
  readonly status = "busy";
  readonly connectionStatus = "connected";
  readonly isDisposed = false;
  readonly spec = Promise.resolve({ language: "python" });
  readonly info = Promise.resolve({ supported_features: [] });
  readonly iopubMessage = new Signal<this, KernelMessage.IIOPubMessage>(this);
  readonly statusChanged = new Signal<this, Kernel.Status>(this);
  readonly connectionStatusChanged = new Signal<this, Kernel.ConnectionStatus>(this);
  readonly disposed = new Signal<this, void>(this);
  readonly answers: Array<(comms: object) => void> = [];

  sendShellMessage() {
    const done = new Promise((resolve) => {
      this.answers.push((comms) => resolve({ content: { comms } }));
    });
    return { done };
  }

  publish(kind: string, content: object): void {
    this.iopubMessage.emit({
      header: { msg_type: kind },
      parent_header: { msg_type: "execute_request", msg_id: "cell" },
      content,
    } as unknown as KernelMessage.IIOPubMessage);
  }
}

const settled = () => vi.advanceTimersByTimeAsync(0);

async function linked() {
  const kernel = new FakeKernel();
  const link = new KernelLink(kernel as unknown as Kernel.IKernelConnection);
  await settled();
  return { kernel, link };
}

test("a cell that ends while we ask makes us ask again", async () => {
  const { kernel, link } = await linked();
  kernel.publish("status", { execution_state: "idle" });
  kernel.answers[0]?.(UNLOADED); // as it was before the cell's last line
  await settled();
  expect(link.standing).toBe("unloaded");
  await vi.advanceTimersByTimeAsync(200);
  kernel.answers[1]?.(LOADED);
  await settled();
  expect(link.standing).toBe("open");
});

test("we ask one question at a time", async () => {
  const { kernel } = await linked();
  kernel.publish("status", { execution_state: "idle" });
  await vi.advanceTimersByTimeAsync(500);
  expect(kernel.answers).toHaveLength(1);
});
