import type { Trans } from "../trans.js";
import type { GraphModel } from "./model.js";

/** Such as `7 plugins · 5 dependencies · 1 in a circle`. */
export function summaryOf(model: GraphModel, trans: Trans): string {
  const conflicts = [...model.nodes.values()].filter((node) => node.conflict !== "").length;
  const parts = [
    model.nodes.size === 1 ? trans.__("1 plugin") : trans.__("%1 plugins", model.nodes.size),
    model.edges.length === 1
      ? trans.__("1 dependency")
      : trans.__("%1 dependencies", model.edges.length),
    model.cycles.length > 0 ? trans.__("%1 in a circle", model.cycles.length) : "",
    conflicts > 0 ? trans.__("%1 with a version conflict", conflicts) : "",
  ];
  return parts.filter((part) => part !== "").join(" · ");
}
