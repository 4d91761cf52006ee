import type { Dispose } from "@nebula-lab/common";
import { ProblemsView } from "@nebula-lab/common";
import type { Model } from "../model.js";
import type { Talk } from "../talk.js";
import { Section } from "./section.js";

/** What is wrong with plugins, with the file, and what to do. */
export class ProblemsSection extends Section {
  constructor(model: Model) {
    const { trans } = model;
    super(model, "problems", trans.__("Problems"), trans.__("What was left out, and why"));
    this.node.tabIndex = 0; // it has nothing else to press while it is scrolled
  }

  protected bind(talk: Talk): Dispose[] {
    const view = new ProblemsView(talk.live);
    this.node.replaceChildren(view.element);
    return [() => view.dispose()];
  }

  protected clear(): void {
    this.node.replaceChildren();
  }
}
