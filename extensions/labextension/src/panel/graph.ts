import type { Dispose } from "@nebula-lab/common";
import { GraphView } from "@nebula-lab/common";
import type { Model } from "../model.js";
import type { Talk } from "../talk.js";
import { Section } from "./section.js";

/** Plugins and what they depend on. */
export class GraphSection extends Section {
  constructor(model: Model) {
    const { trans } = model;
    super(model, "graph", trans.__("Graph"), trans.__("Which plugin needs which"));
  }

  protected bind(talk: Talk): Dispose[] {
    const view = new GraphView(this.node, talk.live, { tracksVisibility: false });
    view.setVisible(true);
    return [() => view.dispose()];
  }

  protected clear(): void {
    // The view is taken away with its talk.
  }
}
