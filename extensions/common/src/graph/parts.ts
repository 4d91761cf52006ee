import { el, svg } from "../dom.js";
import { icon, type IconName } from "../icons.js";
import type { Trans } from "../trans.js";
import type { GraphCycle } from "../wire.js";
import type { PlacedEdge } from "./layout.js";

/** What the lines mean, and how to look around. */
export function legend(trans: Trans): HTMLElement {
  const entry = (name: string, text: string) =>
    el(
      "span",
      { class: "nl-legend-entry" },
      svg(
        "svg",
        { class: `nl-edge nl-edge-${name}`, viewBox: "0 0 26 8", "aria-hidden": "true" },
        svg("path", { class: "nl-edge-line", d: "M1 4H25" }),
      ),
      text,
    );
  return el(
    "div",
    { class: "nl-legend" },
    entry("plain", trans.__("needs")),
    entry("optional", trans.__("optional")),
    entry("unsuitable", trans.__("another version is here")),
    entry("cycle", trans.__("cycle")),
    el(
      "span",
      { class: "nl-quiet" },
      trans.__("Choose a plugin to see what depends on it; Ctrl and the wheel zoom."),
    ),
  );
}

/** Whether an edge is a step of a cycle. */
export function isStep(cycle: GraphCycle, edge: PlacedEdge): boolean {
  const at = cycle.path.indexOf(edge.dependent);
  return at !== -1 && cycle.path[(at + 1) % cycle.path.length] === edge.dependency;
}

/** The plugin that something drawn belongs to. */
export function idOf(target: EventTarget | null): string | undefined {
  const node = target instanceof Element ? target.closest("[data-id]") : null;
  return node?.getAttribute("data-id") ?? undefined;
}

/** The dependency that something drawn belongs to. */
export function edgeOf(
  target: EventTarget | null,
): { dependent: string; dependency: string } | undefined {
  const edge = target instanceof Element ? target.closest("[data-dependent]") : null;
  const [dependent, dependency] = [
    edge?.getAttribute("data-dependent"),
    edge?.getAttribute("data-dependency"),
  ];
  return dependent && dependency ? { dependent, dependency } : undefined;
}

/** The heads of the arrows; `id` is how their names begin. */
export function makeDefs(id: string): SVGDefsElement {
  const arrow = (kind: string) =>
    svg(
      "marker",
      {
        id: `${id}-${kind}`,
        viewBox: "0 0 8 8",
        refX: 7.5,
        refY: 4,
        markerWidth: 7,
        markerHeight: 7,
        markerUnits: "userSpaceOnUse",
        orient: "auto",
        class: `nl-edge-${kind}`,
      },
      svg("path", { class: "nl-arrow", d: "M0 0.5 8 4 0 7.5z" }),
    );
  return svg("defs", {}, ...["plain", "optional", "unsuitable", "cycle"].map(arrow));
}

/** A button of the bar; `text` stands beside its icon. */
export function toolButton(
  name: IconName,
  label: string,
  act: () => void,
  text = "",
): HTMLButtonElement {
  return el(
    "button",
    {
      class: "nl-action nl-tool",
      title: label,
      attrs: { type: "button", "aria-label": label },
      on: { click: act },
    },
    icon(name),
    text,
  );
}
