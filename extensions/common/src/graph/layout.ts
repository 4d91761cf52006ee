import { LayoutThread } from "./layout_thread.js";
import type { GraphModel } from "./model.js";
import type { Point } from "./placing.js";

export type { Point } from "./placing.js";

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
/** With more edges than these, what they ask for is not written beside them. */
export const LABELS_UP_TO = 40;
/** Characters of such a text. */
export const LABEL = 24;
const LETTER = 6;
const LAYERS = 64; // room between them, where texts need no more
const GAP = 28;
const MARGIN = 16;

/**
 * Lay a graph out, one connected part after another, aside from the page's own thread.
 * Gives nothing where `signal` says meanwhile that nobody wants it any more.
 */
export async function layOut(model: GraphModel, signal: AbortSignal): Promise<Layout | undefined> {
  const parts: Layout[] = [];
  const alone: string[] = [];
  const thread = new LayoutThread();
  try {
    for (const component of model.components()) {
      const [first] = component;
      if (component.length === 1 && first !== undefined && model.needsOf(first).length === 0) {
        alone.push(first);
        continue;
      }
      const part = await layOutPart(model, component, thread, signal);
      if (!part || signal.aborted) {
        return undefined;
      }
      parts.push(part);
    }
  } finally {
    thread.end();
  }
  if (alone.length > 0) {
    parts.push(grid(alone.sort()));
  }
  return pack(parts);
}

async function layOutPart(
  model: GraphModel,
  ids: readonly string[],
  thread: LayoutThread,
  signal: AbortSignal,
): Promise<Layout | undefined> {
  const numbers = new Map(ids.map((id, number) => [id, number]));
  const number = (id: string) => numbers.get(id) ?? 0;
  const edges = ids.flatMap((id) => model.needsOf(id));
  const placed = await thread.place(
    {
      nodes: ids.length,
      node: NODE,
      gap: gapOf(model),
      edges: edges.map((edge) => [number(edge.dependent), number(edge.dependency)]),
    },
    signal,
  );
  if (!placed) {
    return undefined;
  }
  const nodes = new Map<string, Point>();
  ids.forEach((id, at) => nodes.set(id, placed.nodes[at] ?? { x: 0, y: 0 }));
  return {
    width: placed.width,
    height: placed.height,
    nodes,
    edges: edges.map(({ dependent, dependency }, at) => ({
      dependent,
      dependency,
      points: placed.edges[at] ?? [],
    })),
  };
}

/** Room between two layers for the longest text beside an edge. */
function gapOf(model: GraphModel): number {
  if (model.edges.length > LABELS_UP_TO) {
    return LAYERS;
  }
  const letters = model.edges.map(({ requirement }) => Math.min(requirement.length, LABEL));
  return Math.max(LAYERS, Math.max(0, ...letters) * LETTER + 24);
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
