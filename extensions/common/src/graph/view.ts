import type { Dispose } from "../connection.js";
import { colour } from "../colours.js";
import { el, setText, svg, uniqueId } from "../dom.js";
import type { Live } from "../live.js";
import { failureBox } from "../requests.js";
import { StatusLine } from "../status.js";
import { watchVisibility } from "../visibility.js";
import type { Graph, GraphCycle } from "../wire.js";
import { aboutCycle, aboutEdge, aboutNode } from "./about.js";
import { Drawing, wordOf } from "./drawing.js";
import { asPng, save, standaloneSvg } from "./export.js";
import { LABELS_UP_TO, layOut, type Layout } from "./layout.js";
import { GraphModel } from "./model.js";
import { edgeOf, idOf, isStep, legend, makeDefs, toolButton } from "./parts.js";
import { summaryOf } from "./summary.js";
import { Viewport } from "./viewport.js";

export interface GraphOptions {
  readonly tracksVisibility?: boolean;
}

/** Plugins and what they depend on, to look around in. */
export class GraphView {
  private readonly root: HTMLElement;
  private readonly frame: SVGSVGElement;
  private readonly content = svg("g");
  private readonly arrows = uniqueId("arrow");
  private readonly defs: SVGDefsElement;
  private readonly viewport: Viewport;
  private readonly about = el("div", { class: "nl-graph-about", attrs: { "aria-live": "polite" } });
  private readonly summary = el("span", { class: "nl-summary", attrs: { role: "status" } });
  private readonly status: StatusLine;
  private readonly disposals: Dispose[];
  private model: GraphModel | undefined;
  private layout: Layout | undefined;
  private drawing: Drawing | undefined;
  private shape = "";
  private drawn = new AbortController();
  private chosen: string | undefined;
  private isFitted = false;

  constructor(
    host: HTMLElement,
    private readonly live: Live,
    options: GraphOptions = {},
  ) {
    const { trans } = live;
    this.status = new StatusLine(live);
    this.defs = makeDefs(this.arrows);
    this.frame = svg(
      "svg",
      {
        class: "nl-graph-frame",
        tabindex: 0,
        role: "group",
        "aria-label": trans.__("Graph of plugins; arrow keys go along dependencies"),
      },
      this.defs,
      this.content,
    );
    this.viewport = new Viewport(this.frame, this.content);
    this.root = el(
      "div",
      {
        class: "nl-root nl-graph",
        attrs: {
          role: "region",
          "aria-label": trans.__("Dependencies"),
          "data-lm-suppress-shortcuts": "true",
        },
        on: { keydown: (event) => this.keyed(event) },
      },
      el(
        "div",
        { class: "nl-bar" },
        el("span", { class: "nl-title" }, trans.__("Dependencies")),
        this.summary,
        this.status.element,
        el("span", { class: "nl-graph-tools" }, ...this.tools()),
      ),
      this.frame,
      legend(trans),
      this.about,
    );
    this.status.greysOut(this.root);
    host.append(this.root);
    this.listenToPointer();
    this.disposals = [
      live.store.graphChanged.listen((graph) => void this.take(graph)),
      live.store.changed.listen((change) => this.showStates(change.ids)),
    ];
    if (options.tracksVisibility ?? true) {
      this.disposals.push(watchVisibility(host, (visible) => this.setVisible(visible)));
    }
    if (live.store.graph) {
      void this.take(live.store.graph);
    }
  }

  setVisible(visible: boolean): void {
    this.live.want(this, visible ? { topics: ["graph", "plugins"] } : null);
    if (visible && !this.isFitted) {
      this.fit();
    }
  }

  /** Choose a plugin: what depends on it is lit. */
  choose(id: string | undefined): void {
    this.chosen = id;
    this.show();
    const point = id === undefined ? undefined : this.layout?.nodes.get(id);
    if (point) {
      this.viewport.reveal(point);
    }
  }

  dispose(): void {
    this.live.want(this, null);
    this.status.dispose();
    for (const dispose of this.disposals) {
      dispose();
    }
    this.drawn.abort();
    this.root.remove();
  }

  /** Draw a graph in the place of the one before; a later one ends that. */
  private async take(graph: Graph): Promise<void> {
    const model = new GraphModel(graph);
    this.drawn.abort();
    const { signal } = (this.drawn = new AbortController());
    if (model.shape !== this.shape || !this.layout) {
      setText(this.summary, this.live.trans.__("drawing …"));
      const layout = await layOut(model, signal);
      if (!layout) {
        return;
      }
      this.shape = model.shape;
      this.layout = layout;
      this.isFitted = false;
    }
    await this.draw(model, this.layout, signal);
  }

  private async draw(model: GraphModel, layout: Layout, signal: AbortSignal): Promise<void> {
    this.model = model;
    this.drawing = new Drawing(model, layout, this.arrows, this.live.trans);
    this.content.replaceChildren(this.drawing.element);
    this.frame.classList.toggle("nl-has-labels", model.edges.length <= LABELS_UP_TO);
    this.sizeFrame(layout);
    if (!this.isFitted) {
      this.fit();
    }
    for (const _ of this.drawing.pieces()) {
      await new Promise((resume) => setTimeout(resume)); // the page lives
      if (signal.aborted) {
        return;
      }
    }
    this.showStates(model.nodes.keys());
    this.show();
    setText(this.summary, summaryOf(model, this.live.trans));
  }

  private sizeFrame(layout: Layout): void {
    this.frame.style.height = `${Math.min(560, Math.max(150, layout.height + 8))}px`;
  }

  private fit(): void {
    if (this.layout && this.frame.getBoundingClientRect().width > 0) {
      this.viewport.fit(this.layout.width, this.layout.height);
      this.isFitted = true;
    }
  }

  private showStates(ids: Iterable<string>): void {
    for (const id of ids) {
      const row = this.live.store.row(id);
      if (row) {
        this.drawing?.showState(id, row.state);
      }
    }
  }

  private show(pointed?: readonly GraphCycle[], what?: HTMLElement): void {
    const { model, drawing } = this;
    if (!model || !drawing) {
      return;
    }
    const cycle = pointed?.[0];
    const node = this.chosen === undefined ? undefined : model.nodes.get(this.chosen);
    if (cycle) {
      drawing.light(new Set(cycle.path), (edge) => isStep(cycle, edge), this.chosen);
      this.about.replaceChildren(aboutCycle(cycle, this.live.trans));
    } else if (node) {
      const lit = new Set([node.id, ...model.dependents(node.id)]);
      drawing.light(lit, (edge) => lit.has(edge.dependent) && lit.has(edge.dependency), node.id);
      const state = ["missing", "left out"].includes(node.state)
        ? node.state
        : (this.live.store.row(node.id)?.state ?? node.state);
      this.about.replaceChildren(
        what ?? aboutNode(model, node, wordOf(state, this.live.trans), this.live.trans),
      );
    } else {
      drawing.light(new Set(), () => false);
      this.about.replaceChildren(...(what ? [what] : []));
    }
  }

  private listenToPointer(): void {
    this.content.addEventListener("pointerover", (event) => this.point(event.target));
    this.content.addEventListener("pointerleave", () => this.show());
    this.frame.addEventListener("click", (event) => {
      if (!this.viewport.wasDragged) {
        const id = idOf(event.target);
        this.choose(id === this.chosen ? undefined : id);
      }
    });
  }

  private point(target: EventTarget | null): void {
    const { model } = this;
    const id = idOf(target);
    const edge = edgeOf(target);
    if (!model) {
      return;
    }
    if (id !== undefined) {
      this.show(model.cyclesOf(id));
    } else if (edge) {
      const declared = model
        .needsOf(edge.dependent)
        .find((one) => one.dependency === edge.dependency);
      this.show(
        model.cyclesOf(edge.dependent, edge.dependency),
        declared && aboutEdge(declared, this.live.trans),
      );
    }
  }

  private keyed(event: KeyboardEvent): void {
    event.stopPropagation();
    const { model } = this;
    if (!model || event.target instanceof HTMLButtonElement) {
      return;
    }
    const moves: Readonly<Record<string, () => string | undefined>> = {
      ArrowRight: () => this.chosen && model.needsOf(this.chosen)[0]?.dependency,
      ArrowLeft: () => this.chosen && model.neededByOf(this.chosen)[0]?.dependent,
      ArrowDown: () => this.beside(1),
      ArrowUp: () => this.beside(-1),
    };
    const move = moves[event.key];
    if (move) {
      event.preventDefault();
      const next = this.chosen === undefined ? [...model.nodes.keys()][0] : move();
      if (next !== undefined) {
        this.choose(next);
      }
    } else if (event.key === "Escape") {
      this.choose(undefined);
    } else if (event.key === "+" || event.key === "-") {
      this.viewport.zoom(event.key === "+" ? 1.25 : 0.8);
    } else if (event.key === "0") {
      this.fit();
    }
  }

  /** The plugin after or before the chosen one, from the top of the picture to its bottom. */
  private beside(step: number): string | undefined {
    const places = [...(this.layout?.nodes ?? [])].sort(([, a], [, b]) => a.y - b.y || a.x - b.x);
    const at = places.findIndex(([id]) => id === this.chosen);
    return places[(at + step + places.length) % places.length]?.[0];
  }

  private tools(): HTMLElement[] {
    const { trans } = this.live;
    return [
      toolButton("zoomIn", trans.__("Larger (+)"), () => this.viewport.zoom(1.25)),
      toolButton("zoomOut", trans.__("Smaller (-)"), () => this.viewport.zoom(0.8)),
      toolButton("fit", trans.__("Show all (0)"), () => this.fit()),
      toolButton("download", trans.__("Save as SVG"), () => this.export("svg"), "SVG"),
      toolButton("download", trans.__("Save as PNG"), () => this.export("png"), "PNG"),
    ];
  }

  private export(kind: "svg" | "png"): void {
    const { drawing, layout } = this;
    if (!drawing || !layout) {
      return;
    }
    const { width, height } = layout;
    const ground = colour(this.root, "--nl-ground", "white");
    const text = standaloneSvg(drawing.element, this.defs, width, height, ground);
    if (kind === "svg") {
      save(new Blob([text], { type: "image/svg+xml" }), "plugins.svg");
      return;
    }
    asPng(text, width, height).then(
      (blob) => save(blob, "plugins.png"),
      (error: unknown) => this.about.replaceChildren(failureBox(error, this.live.trans)),
    );
  }
}
