import type { AnyModel } from "@anywidget/types";

interface SignalLike<T> {
  connect(listener: (sender: unknown, value: T) => void): unknown;
  disconnect(listener: (sender: unknown, value: T) => void): unknown;
}

/** What we need to know of a kernel, as JupyterLab has it. */
export interface KernelLike {
  readonly statusChanged: SignalLike<string>;
  readonly connectionStatusChanged: SignalLike<string>;
  readonly disposed?: SignalLike<unknown>;
}

/**
 * The kernel of a model, where the front end lets one see it.
 *
 * JupyterLab's manager of widgets does; it tells a model of no crash, so one has to look oneself.
 */
export function kernelOf(model: AnyModel): KernelLike | undefined {
  const manager: unknown = model.widget_manager;
  const kernel = field(manager, "kernel");
  const isOne =
    isSignal(field(kernel, "statusChanged")) && isSignal(field(kernel, "connectionStatusChanged"));
  return isOne ? (kernel as KernelLike) : undefined;
}

function isSignal(value: unknown): boolean {
  return typeof field(value, "connect") === "function";
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
