// @vitest-environment happy-dom
import type { Kernel } from "@jupyterlab/services";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Lane } from "./lane.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A kernel that makes subshells, and reads what is said in them when the test has it do so. */
class FakeKernel {
  readonly id = "kernel";
  readonly connectionStatus = "connected";
  readonly isDisposed = false;
  readonly info = Promise.resolve({ supported_features: ["kernel subshells"] });
  readonly asked: string[] = [];
  read = () => undefined as void;

  sendControlMessage(message: { header: { msg_type: string } }) {
    this.asked.push(message.header.msg_type);
    return { done: Promise.resolve({ content: { subshell_id: "one" } }) };
  }

  sendShellMessage() {
    const done = new Promise<void>((resolve) => {
      this.read = resolve;
    });
    return { done };
  }
}

const settled = () => vi.advanceTimersByTimeAsync(0);

async function talking() {
  const kernel = new FakeKernel();
  const lane = new Lane(kernel as unknown as Kernel.IKernelConnection);
  await lane.goDirect();
  lane.comm("comm_close", { comm_id: "one", data: {} });
  return { kernel, lane };
}

test("a subshell is given back once the end of what was said in it has been read", async () => {
  const { kernel, lane } = await talking();
  lane.close(false);
  await settled();
  expect(kernel.asked).toEqual(["create_subshell_request"]);
  kernel.read();
  await settled();
  expect(kernel.asked).toEqual(["create_subshell_request", "delete_subshell_request"]);
});

test("a kernel that reads nothing does not keep it", async () => {
  const { kernel, lane } = await talking();
  lane.close(false);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(kernel.asked).toContain("delete_subshell_request");
});

test("a page that goes away waits for nothing", async () => {
  const { kernel, lane } = await talking();
  lane.close();
  expect(kernel.asked).toContain("delete_subshell_request");
});
