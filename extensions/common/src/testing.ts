import type { Connection, Status } from "./connection.js";
import { Signal } from "./signal.js";
import type { FromFrontEnd, FromKernel, PluginRow } from "./wire.js";

/** A connection to a kernel that does what a test says. */
export class ScriptedConnection implements Connection {
  readonly sent: FromFrontEnd[] = [];
  private readonly messages = new Signal<FromKernel>();
  private readonly statuses = new Signal<Status>();
  private now: Status = "live";

  get status(): Status {
    return this.now;
  }

  set status(status: Status) {
    this.now = status;
    this.statuses.emit(status);
  }

  send(message: FromFrontEnd): void {
    this.sent.push(message);
  }

  receive(message: FromKernel): void {
    this.messages.emit(message);
  }

  onMessage(listener: (message: FromKernel) => void) {
    return this.messages.listen(listener);
  }

  onStatus(listener: (status: Status) => void) {
    return this.statuses.listen(listener);
  }

  of<T extends FromFrontEnd["type"]>(type: T): Extract<FromFrontEnd, { type: T }>[] {
    return this.sent.filter(
      (message): message is Extract<FromFrontEnd, { type: T }> => message.type === type,
    );
  }
}

/** A plugin that has just been found. */
export function pluginRow(id: string, values: Partial<PluginRow> = {}): PluginRow {
  return {
    id,
    name: id,
    version: "1.0.0",
    description: "",
    state: "Discovered",
    leftOut: "",
    sandbox: "Process",
    rights: [],
    pid: null,
    health: "Unknown",
    healthMessage: "",
    executions: 0,
    failures: 0,
    rate: 0,
    latency: null,
    cpu: null,
    memory: null,
    reloads: 0,
    restarts: 0,
    loadedAt: null,
    lastUsed: null,
    error: "",
    errorAt: null,
    ...values,
  };
}

/** A snapshot of some plugins. */
export function snapshot(...plugins: PluginRow[]): FromKernel {
  const totals = {
    plugins: plugins.length,
    serving: 0,
    failed: 0,
    executions: 0,
    failures: 0,
    errors: 0,
    notes: 0,
    problems: 0,
  };
  return { type: "snapshot", at: 1, plugins, totals, trends: [] };
}
