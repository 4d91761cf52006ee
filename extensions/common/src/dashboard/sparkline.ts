import { svg } from "../dom.js";
import type { TrendPoint } from "../wire.js";

const SPARK = { width: 84, height: 26 };

/**
 * p50, p95 and p99 of a plugin's calls of late, as small as a word.
 *
 * Three paths rather than a plot with a canvas: two hundred of these are drawn again each second, and
 * making a plot measures the page each time.
 */
export class Sparkline {
  readonly element: SVGSVGElement;
  private readonly paths = ["p99", "p95", "p50"].map((name) =>
    svg("path", { class: `nl-spark-${name}` }),
  );
  private drawn = "";

  constructor() {
    const viewBox = `0 0 ${SPARK.width} ${SPARK.height}`;
    this.element = svg("svg", { class: "nl-spark", viewBox, role: "img" }, ...this.paths);
  }

  show(points: readonly TrendPoint[], label: string): void {
    const key = `${points.at(-1)?.at ?? 0} ${points.length} ${label}`;
    if (key === this.drawn) {
      return;
    }
    this.drawn = key;
    this.element.setAttribute("aria-label", label);
    const [p99, p95, p50] = this.paths;
    const top = Math.max(...points.map((point) => point.p99));
    p99?.setAttribute(
      "d",
      sparkPath(points, (point) => point.p99 / top),
    );
    p95?.setAttribute(
      "d",
      sparkPath(points, (point) => point.p95 / top),
    );
    p50?.setAttribute(
      "d",
      sparkPath(points, (point) => point.p50 / top),
    );
  }
}

/** A line through parts of the height, from the oldest point on the left to the newest. */
export function sparkPath(
  points: readonly TrendPoint[],
  part: (point: TrendPoint) => number,
): string {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || last.at <= first.at) {
    return "";
  }
  const { width, height } = SPARK;
  const x = (at: number) => 1 + ((at - first.at) / (last.at - first.at)) * (width - 2);
  const y = (share: number) => height - 2 - (Number.isFinite(share) ? share : 0) * (height - 4);
  return points
    .map(
      (point, index) =>
        `${index === 0 ? "M" : "L"}${x(point.at).toFixed(1)} ${y(part(point)).toFixed(1)}`,
    )
    .join("");
}
