import type { Graph, GraphCycle, GraphEdge, GraphNode } from "../wire.js";

/** A graph with what is asked of it while somebody looks around in it. */
export class GraphModel {
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly edges: readonly GraphEdge[];
  readonly cycles: readonly GraphCycle[];
  private readonly needs = new Map<string, GraphEdge[]>();
  private readonly neededBy = new Map<string, GraphEdge[]>();

  constructor(graph: Graph) {
    this.nodes = new Map(graph.nodes.map((node) => [node.id, node]));
    this.edges = graph.edges;
    this.cycles = graph.cycles;
    for (const edge of graph.edges) {
      push(this.needs, edge.dependent, edge);
      push(this.neededBy, edge.dependency, edge);
    }
  }

  /** What decides where things are; a state is no part of it. */
  get shape(): string {
    return JSON.stringify([
      [...this.nodes.keys()],
      this.edges.map((edge) => [edge.dependent, edge.dependency]),
    ]);
  }

  needsOf(id: string): readonly GraphEdge[] {
    return this.needs.get(id) ?? [];
  }

  neededByOf(id: string): readonly GraphEdge[] {
    return this.neededBy.get(id) ?? [];
  }

  /** All that depend on a plugin, also by way of others; not itself, unless it is in a cycle. */
  dependents(id: string): ReadonlySet<string> {
    return this.reach(id, (at) => this.neededByOf(at).map((edge) => edge.dependent));
  }

  /** All that a plugin needs, also by way of others. */
  dependencies(id: string): ReadonlySet<string> {
    return this.reach(id, (at) => this.needsOf(at).map((edge) => edge.dependency));
  }

  /** The cycles through a plugin, or through an edge. */
  cyclesOf(id: string, to?: string): readonly GraphCycle[] {
    return this.cycles.filter((cycle) =>
      to === undefined
        ? cycle.path.includes(id)
        : cycle.path.some(
            (one, at) => one === id && cycle.path[(at + 1) % cycle.path.length] === to,
          ),
    );
  }

  /** The sets of plugins that are connected, the largest first; a plugin alone is one too. */
  components(): string[][] {
    const left = new Set(this.nodes.keys());
    const found: string[][] = [];
    for (const id of this.nodes.keys()) {
      if (left.has(id)) {
        const component = [id, ...this.reach(id, (at) => this.neighbours(at))];
        const members = [...new Set(component)];
        for (const one of members) {
          left.delete(one);
        }
        found.push(members);
      }
    }
    return found.sort((a, b) => b.length - a.length);
  }

  private neighbours(id: string): string[] {
    return [
      ...this.needsOf(id).map((edge) => edge.dependency),
      ...this.neededByOf(id).map((edge) => edge.dependent),
    ];
  }

  private reach(start: string, next: (id: string) => readonly string[]): ReadonlySet<string> {
    const reached = new Set<string>();
    const pending = [...next(start)];
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      if (!reached.has(id)) {
        reached.add(id);
        pending.push(...next(id));
      }
    }
    return reached;
  }
}

function push(map: Map<string, GraphEdge[]>, key: string, edge: GraphEdge): void {
  const known = map.get(key);
  if (known) {
    known.push(edge);
  } else {
    map.set(key, [edge]);
  }
}
