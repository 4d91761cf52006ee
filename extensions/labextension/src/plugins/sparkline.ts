import { svg } from "@nebula-lab/common";
import type { TrendPoint } from "@nebula-lab/common";

const WIDTH = 56;
const HEIGHT = 16;
const EDGE = 1.5;

/** A line of how many calls there were of late. It says nothing that the row does not say. */
export class Sparkline {
  readonly element: SVGSVGElement;

  constructor() {
    this.line = svg("polyline", { class: "nl-spark-line", fill: "none" });
    this.element = svg(
      "svg",
      {
        class: "nl-spark",
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        width: WIDTH,
        height: HEIGHT,
        "aria-hidden": "true",
      },
      this.line,
    );
  }

  draw(points: ReadonlyArray<TrendPoint>): void {
    const text = pointsOf(points.map((point) => point.rate));
    if (this.line.getAttribute("points") !== text) {
      this.line.setAttribute("points", text);
    }
  }

  private readonly line: SVGPolylineElement;
}

/** Places of values on the line, from left to right; the highest touches the upper edge. */
export function pointsOf(values: ReadonlyArray<number>): string {
  if (values.length < 2) {
    return "";
  }
  const top = Math.max(...values, Number.EPSILON);
  const step = (WIDTH - 2 * EDGE) / (values.length - 1);
  const room = HEIGHT - 2 * EDGE;
  return values
    .map((value, index) => {
      const x = EDGE + index * step;
      const y = HEIGHT - EDGE - (Math.max(0, value) / top) * room;
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(" ");
}
