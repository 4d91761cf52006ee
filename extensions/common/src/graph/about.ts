import { el } from "../dom.js";
import type { Trans } from "../trans.js";
import type { GraphCycle, GraphEdge, GraphNode } from "../wire.js";
import type { GraphModel } from "./model.js";

/** What is said of a plugin that has been chosen. */
export function aboutNode(
  model: GraphModel,
  node: GraphNode,
  state: string,
  trans: Trans,
): HTMLElement {
  const needs = model.needsOf(node.id);
  const all = model.dependents(node.id);
  return el(
    "div",
    {},
    el("p", {}, el("strong", {}, node.id), ` ${node.version} · ${state}`),
    node.conflict !== "" && el("p", { class: "nl-bad-text" }, node.conflict),
    needs.length > 0 && el("ul", {}, ...needs.map((edge) => el("li", {}, edgeWords(edge, trans)))),
    el(
      "p",
      { class: "nl-quiet" },
      all.size === 0
        ? trans.__("Nothing depends on it.")
        : trans.__(
            "%1 depend on it, also by way of others: %2",
            all.size,
            [...all].sort().join(", "),
          ),
    ),
    ...model.cyclesOf(node.id).map((cycle) => aboutCycle(cycle, trans)),
  );
}

/** What is said of a dependency that is pointed at. */
export function aboutEdge(edge: GraphEdge, trans: Trans): HTMLElement {
  return el("p", {}, `${edge.dependent} → ${edgeWords(edge, trans)}`);
}

/** The path of a cycle, and the file and line of each step. */
export function aboutCycle(cycle: GraphCycle, trans: Trans): HTMLElement {
  const path = [...cycle.path, cycle.path[0] ?? ""].join(" → ");
  return el(
    "div",
    { class: "nl-cycle" },
    el("p", { class: "nl-bad-text" }, trans.__("Cycle: %1", path)),
    el("ul", {}, ...cycle.declared.map((text) => el("li", { class: "nl-where" }, text))),
  );
}

function edgeWords(edge: GraphEdge, trans: Trans): string {
  const kinds: Readonly<Record<GraphEdge["kind"], string>> = {
    plain: "",
    optional: trans.__("optional"),
    unsuitable: trans.__("another version is here"),
    cycle: trans.__("cycle"),
  };
  const words = [edge.requirement === "*" ? "" : edge.requirement, kinds[edge.kind]];
  const shown = words.filter((word) => word !== "").join(", ");
  return `${edge.dependency}${shown === "" ? "" : ` (${shown})`}${edge.where === "" ? "" : ` — ${edge.where}`}`;
}
