import type { Dispose } from "./connection.js";

/** Tells its listeners of something, in the order in which they came. */
export class Signal<T> {
  private readonly listeners = new Set<(value: T) => void>();

  listen(listener: (value: T) => void): Dispose {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  emit(value: T): void {
    for (const listener of [...this.listeners]) {
      listener(value);
    }
  }

  get isHeard(): boolean {
    return this.listeners.size > 0;
  }
}
