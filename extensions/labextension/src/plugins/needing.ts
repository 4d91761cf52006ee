import type { Graph, Live } from "@nebula-lab/common";
import { ACTIONS, RequestError } from "@nebula-lab/common";

const RESTARTABLE = ACTIONS.find((action) => action.name === "restart")?.states;

/** The plugins that are up and need this one, also by way of others, in the order of their ids. */
export async function needingUp(live: Live, plugin: string): Promise<string[]> {
  const answer = await live.client.ask({ type: "askGraph" }).answer;
  if (answer.kind !== "graph") {
    return [];
  }
  return needing(answer, plugin).filter((id) => {
    const state = live.store.row(id)?.state;
    return state !== undefined && RESTARTABLE?.has(state) === true;
  });
}

/** All that depend on a plugin, directly or not, in the order of their ids. */
export function needing({ edges }: Pick<Graph, "edges">, plugin: string): string[] {
  const found = new Set([plugin]);
  for (const one of found) {
    for (const { dependent, dependency } of edges) {
      if (dependency === one) {
        found.add(dependent); // and is visited in its turn
      }
    }
  }
  found.delete(plugin);
  return [...found].sort();
}

/** Whether an error says that others need the plugin that was to be unloaded. */
export function isStillNeeded(error: unknown): boolean {
  return error instanceof RequestError && error.failure.error === "DependentsLoadedError";
}
