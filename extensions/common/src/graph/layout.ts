import dagre from "@dagrejs/dagre";
import type { GraphModel } from "./model.js";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface PlacedEdge {
  readonly dependent: string;
  readonly dependency: string;
  readonly points: readonly Point[];
}

/** Where everything is; a node is known by its middle. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: ReadonlyMap<string, Point>;
  readonly edges: readonly PlacedEdge[];
}

export const NODE = { width: 186, height: 40 } as const;
const GAP = 28;
const MARGIN = 16;
// Network simplex draws better, and takes minutes where there are many.
const SIMPLEX_UP_TO = 120;

/**
 * Lay a graph out, one connected part after another, and let the page live in between.
 * Gives nothing where `isStale` says that nobody wants it any more.
 */
export async function layOut(
  model: GraphModel,
  isStale: () => boolean,
): Promise<Layout | undefined> {
  const parts: Layout[] = [];
  const alone: string[] = [];
  for (const component of model.components()) {
    if (
      component.length === 1 &&
      component[0] !== undefined &&
      model.needsOf(component[0]).length === 0
    ) {
      alone.push(component[0]);
      continue;
    }
    parts.push(layOutPart(model, component));
    await new Promise((resume) => setTimeout(resume));
    if (isStale()) {
      return undefined;
    }
  }
  if (alone.length > 0) {
    parts.push(grid(alone.sort()));
  }
  return pack(parts);
}

function layOutPart(model: GraphModel, ids: readonly string[]): Layout {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({
    rankdir: "LR",
    nodesep: 14,
    ranksep: 64,
    ranker: ids.length > SIMPLEX_UP_TO ? "tight-tree" : "network-simplex",
  });
  graph.setDefaultEdgeLabel(() => ({}));
  // A plugin's id is any word, `__proto__` too: nodes are numbered.
  const numbers = new Map(ids.map((id, number) => [id, `n${number}`]));
  const name = (id: string) => numbers.get(id) ?? "";
  for (const id of ids) {
    graph.setNode(name(id), { ...NODE });
  }
  const edges = ids.flatMap((id) => model.needsOf(id));
  for (const edge of edges) {
    graph.setEdge(name(edge.dependent), name(edge.dependency), {});
  }
  dagre.layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return {
    width,
    height,
    nodes: new Map(ids.map((id) => [id, pointOf(graph.node(name(id)))])),
    edges: edges.map((edge) => ({
      dependent: edge.dependent,
      dependency: edge.dependency,
      points: pointsOf(graph.edge(name(edge.dependent), name(edge.dependency))),
    })),
  };
}

function pointOf(node: unknown): Point {
  const { x, y } = node as Point;
  return { x, y };
}

function pointsOf(edge: unknown): readonly Point[] {
  return (edge as { points: Point[] }).points.map(pointOf);
}

/** Plugins that neither need anything nor are needed. */
function grid(ids: readonly string[]): Layout {
  const columns = Math.max(1, Math.ceil(Math.sqrt(ids.length / 3)));
  const step = { x: NODE.width + 14, y: NODE.height + 14 };
  const place = (index: number): Point => ({
    x: (index % columns) * step.x + NODE.width / 2,
    y: Math.floor(index / columns) * step.y + NODE.height / 2,
  });
  return {
    width: Math.min(columns, ids.length) * step.x - 14,
    height: Math.ceil(ids.length / columns) * step.y - 14,
    nodes: new Map(ids.map((id, index) => [id, place(index)])),
    edges: [],
  };
}

/** Put parts into lines of about the same width, the largest first. */
function pack(parts: readonly Layout[]): Layout {
  const area = parts.reduce((sum, part) => sum + part.width * part.height, 0);
  const widest = Math.max(0, ...parts.map((part) => part.width));
  const limit = Math.max(widest, Math.sqrt(area * 2.2));
  const nodes = new Map<string, Point>();
  const edges: PlacedEdge[] = [];
  let [x, y, line, width] = [0, 0, 0, 0];
  for (const part of parts) {
    if (x > 0 && x + part.width > limit) {
      [x, y, line] = [0, y + line + GAP, 0];
    }
    const shift = (point: Point) => ({ x: point.x + x + MARGIN, y: point.y + y + MARGIN });
    for (const [id, point] of part.nodes) {
      nodes.set(id, shift(point));
    }
    edges.push(...part.edges.map((edge) => ({ ...edge, points: edge.points.map(shift) })));
    x += part.width + GAP;
    line = Math.max(line, part.height);
    width = Math.max(width, x - GAP);
  }
  return { width: width + 2 * MARGIN, height: y + line + 2 * MARGIN, nodes, edges };
}
