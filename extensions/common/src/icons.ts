import { svg } from "./dom.js";

/** Outlines in a square of 16, drawn with the colour of the text beside them. */
const PATHS = {
  load: "M5 3.5v9l7-4.5z",
  unload: "M4 4h8v8H4z",
  reload: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3",
  suspend: "M5.5 3.5v9M10.5 3.5v9",
  resume: "M3.5 3.5v9M6.5 3.5v9l6-4.5z",
  restart: "M8 2.5v5M4.7 4.2a5 5 0 1 0 6.6 0",
  expand: "M6 3.5 10.5 8 6 12.5",
  close: "M4 4l8 8M12 4l-8 8",
  search: "M11 11l3 3M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10z",
  insert: "M8 3v10M3 8h10",
  fit: "M2.5 6v-3.5h3.5M13.5 6v-3.5h-3.5M2.5 10v3.5h3.5M13.5 10v3.5h-3.5",
  download: "M8 2.5v7.5M4.8 7 8 10.2 11.2 7M3 13.5h10",
  zoomIn: "M8 3v10M3 8h10",
  zoomOut: "M3 8h10",
} as const;

export type IconName = keyof typeof PATHS;

const FILLED: ReadonlySet<IconName> = new Set(["load", "unload"]);

/** An icon; what it means is said by the button around it. */
export function icon(name: IconName): SVGSVGElement {
  return svg(
    "svg",
    { class: `nl-icon nl-icon-${name}`, viewBox: "0 0 16 16", "aria-hidden": "true" },
    svg("path", { d: PATHS[name], fill: FILLED.has(name) ? "currentColor" : "none" }),
  );
}
