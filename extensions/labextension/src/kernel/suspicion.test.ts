// @vitest-environment happy-dom
import type { KernelMessage } from "@jupyterlab/services";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Suspicion } from "./suspicion.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function message(type: string, content: object, parent = "cell"): KernelMessage.IIOPubMessage {
  const made = {
    header: { msg_type: type },
    parent_header: { msg_type: "execute_request", msg_id: parent },
    content,
  };
  return made as unknown as KernelMessage.IIOPubMessage;
}

const IDLE = { execution_state: "idle" };

test("a cell that names us is followed for a while, as it may load us late", () => {
  const look = vi.fn();
  new Suspicion(look).consider(message("execute_input", { code: "%load_ext nebula_lab" }));
  vi.advanceTimersByTime(30_000);
  expect(look).toHaveBeenCalledTimes(6);
});

test("a cell that does not name us is looked after once it has ended", () => {
  const look = vi.fn();
  const suspicion = new Suspicion(look);
  suspicion.consider(message("execute_input", { code: "%run start.py" }));
  vi.advanceTimersByTime(30_000);
  expect(look).not.toHaveBeenCalled();
  suspicion.consider(message("status", IDLE));
  vi.advanceTimersByTime(30_000);
  expect(look).toHaveBeenCalledTimes(1);
});

test("our own questions raise no suspicion", () => {
  const look = vi.fn();
  const suspicion = new Suspicion(look);
  suspicion.ignore("ours");
  suspicion.consider(message("status", IDLE, "ours"));
  vi.advanceTimersByTime(30_000);
  expect(look).not.toHaveBeenCalled();
  expect(suspicion.isCellEnd(message("status", IDLE, "ours"))).toBe(false);
});

test("nothing is looked for any more once it is there", () => {
  const look = vi.fn();
  const suspicion = new Suspicion(look);
  suspicion.consider(message("execute_input", { code: "import nebula_lab" }));
  suspicion.rest();
  vi.advanceTimersByTime(30_000);
  expect(look).not.toHaveBeenCalled();
});
