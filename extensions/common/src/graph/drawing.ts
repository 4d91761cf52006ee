import { STATE_TONES, stateWord } from "../dashboard/words.js";
import type { Tone } from "../dashboard/words.js";
import { setClass, setText, svg } from "../dom.js";
import type { StateWord } from "../store.js";
import type { Trans } from "../trans.js";
import type { GraphEdge, GraphNode } from "../wire.js";
import { LABEL, NODE } from "./layout.js";
import type { Layout, PlacedEdge, Point } from "./layout.js";
import type { GraphModel } from "./model.js";

/** A sign for each tone beside its colour. */
const SIGNS: Readonly<Record<Tone, string>> = {
  good: "●",
  busy: "◐",
  doubtful: "‖",
  bad: "✕",
  quiet: "○",
};

// What is drawn in one go: hundreds of nodes and edges take the page a second.
const AT_ONCE = 60;

/** What is seen of a graph, once `pieces` has been gone through; who is lit is said by `light`. */
export class Drawing {
  readonly element = svg("g");
  private readonly nodes = new Map<string, SVGGElement>();
  private readonly edges: [PlacedEdge, SVGGElement][] = [];

  constructor(
    private readonly model: GraphModel,
    private readonly layout: Layout,
    private readonly arrows: string,
    private readonly trans: Trans,
  ) {}

  /** Draw some at each step: edges first, since nodes lie on them. */
  *pieces(): Generator<void> {
    let drawn = 0;
    for (const element of this.elements()) {
      this.element.append(element);
      if (++drawn % AT_ONCE === 0) {
        yield;
      }
    }
  }

  private *elements(): Generator<SVGGElement> {
    const declared = new Map(this.model.edges.map((edge) => [key(edge), edge]));
    for (const placed of this.layout.edges) {
      const element = edgeElement(placed, declared.get(key(placed)), this.arrows);
      this.edges.push([placed, element]);
      yield element;
    }
    for (const [id, point] of this.layout.nodes) {
      yield this.makeNode(id, point);
    }
  }

  nodeElement(id: string): SVGGElement | undefined {
    return this.nodes.get(id);
  }

  /** Show a plugin's state as it is now. */
  showState(id: string, state: string): void {
    const element = this.nodes.get(id);
    const node = this.model.nodes.get(id);
    if (!element || !node) {
      return;
    }
    const shown = ["left out", "missing"].includes(node.state) ? node.state : state;
    const tone = toneOf(shown);
    element.setAttribute("class", `nl-node nl-tone-${tone} nl-node-${shown.replace(" ", "-")}`);
    setClass(element, "nl-node-conflict", node.conflict !== "");
    const sign = node.conflict === "" ? SIGNS[tone] : "⚠";
    setText(element.querySelector(".nl-node-sign") as Node, sign);
    const word = wordOf(shown, this.trans);
    setText(element.querySelector(".nl-node-about") as Node, [node.version, word].join(" ").trim());
    element.setAttribute("aria-label", this.describe(node, word));
  }

  /**
   * Light some nodes and edges, and dim all others; nothing is dimmed where nothing is lit.
   */
  light(nodes: ReadonlySet<string>, edges: (edge: PlacedEdge) => boolean, chosen?: string): void {
    const isAny = nodes.size > 0;
    setClass(this.element, "nl-is-lit", isAny);
    for (const [id, element] of this.nodes) {
      setClass(element, "nl-lit", nodes.has(id));
      setClass(element, "nl-chosen", id === chosen);
    }
    for (const [placed, element] of this.edges) {
      setClass(element, "nl-lit", isAny && edges(placed));
    }
  }

  private makeNode(id: string, point: Point): SVGGElement {
    const element = svg(
      "g",
      {
        transform: `translate(${point.x - NODE.width / 2} ${point.y - NODE.height / 2})`,
        tabindex: -1,
        role: "button",
        "data-id": id,
      },
      svg("rect", { class: "nl-node-box", width: NODE.width, height: NODE.height, rx: 7 }),
      svg("text", { class: "nl-node-sign", x: 12, y: 25 }),
      svg("text", { class: "nl-node-id", x: 32, y: 17 }, shortened(id, 20)),
      svg("text", { class: "nl-node-about", x: 32, y: 32 }),
    );
    this.nodes.set(id, element);
    this.showState(id, this.model.nodes.get(id)?.state ?? "missing");
    return element;
  }

  private describe(node: GraphNode, word: string): string {
    const { trans } = this;
    const needs = this.model.needsOf(node.id).map((edge) => edge.dependency);
    const by = this.model.neededByOf(node.id).map((edge) => edge.dependent);
    return [
      `${node.id} ${node.version}`.trim(),
      word,
      node.conflict,
      this.model.cyclesOf(node.id).length > 0 && trans.__("in a cycle"),
      needs.length > 0 && trans.__("needs %1", needs.join(", ")),
      by.length > 0 && trans.__("needed by %1", by.join(", ")),
    ]
      .filter((part) => typeof part === "string" && part !== "")
      .join("; ");
  }
}

function key(edge: { dependent: string; dependency: string }): string {
  return `${edge.dependent}\n${edge.dependency}`;
}

function toneOf(state: string): Tone {
  return STATE_TONES[state as StateWord] ?? "bad";
}

export function wordOf(state: string, trans: Trans): string {
  if (state === "left out") {
    return trans.__("left out");
  }
  return state === "missing" ? trans.__("missing") : stateWord(state as StateWord, trans);
}

function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

function edgeElement(placed: PlacedEdge, edge: GraphEdge | undefined, arrows: string): SVGGElement {
  const kind = edge?.kind ?? "plain";
  const path = curve(placed.points);
  const middle = placed.points[Math.floor(placed.points.length / 2)] ?? { x: 0, y: 0 };
  const label = edge && edge.requirement !== "*" ? edge.requirement : "";
  return svg(
    "g",
    {
      class: `nl-edge nl-edge-${kind}`,
      "data-dependent": placed.dependent,
      "data-dependency": placed.dependency,
    },
    svg("path", { class: "nl-edge-reach", d: path }),
    svg("path", { class: "nl-edge-line", d: path, "marker-end": `url(#${arrows}-${kind})` }),
    label !== "" &&
      svg(
        "text",
        { class: "nl-edge-label", x: middle.x, y: middle.y - 4, "text-anchor": "middle" },
        shortened(label, LABEL),
      ),
  );
}

/** A line through points whose corners are rounded. */
export function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first) {
    return "";
  }
  const parts = [`M${round(first)}`];
  for (const [index, point] of rest.entries()) {
    const next = rest[index + 1];
    if (next) {
      parts.push(
        `Q${round(point)} ${round({ x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 })}`,
      );
    } else {
      parts.push(`L${round(point)}`);
    }
  }
  return parts.join("");
}

function round(point: Point): string {
  return `${Math.round(point.x * 10) / 10} ${Math.round(point.y * 10) / 10}`;
}
