// Runs in a worker: `build_placing.mjs` makes one function of this file and all that it imports.
import dagre from "@dagrejs/dagre";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * A connected part of a graph: so many nodes of one size, edges between their numbers, and the room
 * between two layers.
 */
export interface Part {
  readonly gap: number;
  readonly nodes: number;
  readonly node: { readonly width: number; readonly height: number };
  readonly edges: readonly (readonly [number, number])[];
}

/** Where the nodes of a part have their middles, and where its edges go along, in its order. */
export interface PlacedPart {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly Point[];
  readonly edges: readonly (readonly Point[])[];
}

// Network simplex draws better, and takes minutes where there are many; a tight tree seconds.
const RANKERS = [
  [120, "network-simplex"],
  [400, "tight-tree"],
  [Infinity, "longest-path"],
] as const;

/** Lay a part out in layers, from left to right. */
export function placePart({ nodes, node, edges, gap }: Part): PlacedPart {
  const graph = new dagre.graphlib.Graph();
  const ranker = RANKERS.find(([upTo]) => nodes <= upTo)?.[1];
  graph.setGraph({ rankdir: "LR", nodesep: 14, ranksep: gap, ranker });
  graph.setDefaultEdgeLabel(() => ({}));
  const numbers = Array.from({ length: nodes }, (_, number) => String(number));
  for (const number of numbers) {
    graph.setNode(number, { ...node });
  }
  for (const [from, to] of edges) {
    graph.setEdge(String(from), String(to), {});
  }
  dagre.layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return {
    width,
    height,
    nodes: numbers.map((number) => pointOf(graph.node(number))),
    edges: edges.map(([from, to]) =>
      (graph.edge(String(from), String(to)) as { points: Point[] }).points.map(pointOf),
    ),
  };
}

function pointOf(place: unknown): Point {
  const { x, y } = place as Point;
  return { x, y };
}
