import { Client } from "./client.js";
import type { Connection, Dispose } from "./connection.js";
import { Store } from "./store.js";
import { ENGLISH, type Trans } from "./trans.js";
import type { Topic } from "./topics.js";

/** What one view shows now. */
export interface Wish {
  readonly topics: readonly Topic[];
  readonly logs?: readonly string[];
}

/** One connection with all that is known through it; several views can share it. */
export class Live {
  readonly client: Client;
  readonly store = new Store();
  private readonly wishes = new Map<object, Wish>();
  private readonly stopListening: Dispose;
  private seconds = 0.25;
  private said = "";
  private isPaused = false;

  constructor(
    connection: Connection,
    readonly trans: Trans = ENGLISH,
  ) {
    this.client = new Client(connection);
    this.stopListening = this.client.pushed.listen((message) => this.store.take(message));
  }

  /** The least number of seconds between two pushes. */
  get interval(): number {
    return this.seconds;
  }

  set interval(seconds: number) {
    this.seconds = seconds;
    this.say();
  }

  /** Say what a view shows; nothing, while it is hidden. The kernel feeds what any of them shows. */
  want(view: object, wish: Wish | null): void {
    if (wish) {
      this.wishes.set(view, wish);
    } else {
      this.wishes.delete(view);
    }
    this.say();
  }

  /** Be fed nothing, whatever the views show, while the page itself can't be seen. */
  pause(isPaused: boolean): void {
    this.isPaused = isPaused;
    this.say();
  }

  dispose(): void {
    this.wishes.clear();
    this.say();
    this.stopListening();
    this.client.dispose();
  }

  private say(): void {
    const wishes = this.isPaused ? [] : [...this.wishes.values()];
    const topics = [...new Set(wishes.flatMap((wish) => wish.topics))].sort();
    const logs = [...new Set(wishes.flatMap((wish) => wish.logs ?? []))].sort();
    const watch = { topics, logs, interval: this.seconds };
    const said = JSON.stringify(watch);
    if (said !== this.said) {
      this.said = said;
      this.client.watch(watch);
    }
  }
}
