import uPlot from "uplot";
import { colour, onTheme } from "../colours.js";
import type { Dispose } from "../connection.js";
import { el } from "../dom.js";
import { formatSeconds } from "../format.js";
import type { TrendPoint } from "../wire.js";

/** The columns of a plot: moments, then p50, p95 and p99. */
function columns(points: readonly TrendPoint[]): uPlot.AlignedData {
  return [
    points.map((point) => point.at),
    points.map((point) => point.p50),
    points.map((point) => point.p95),
    points.map((point) => point.p99),
  ];
}

function lines(host: Element, width: number): uPlot.Series[] {
  return [
    {
      label: "p50",
      stroke: colour(host, "--nl-p50", "#1976d2"),
      width: width + 0.5,
      points: { show: false },
    },
    { label: "p95", stroke: colour(host, "--nl-p95", "#64b5f6"), width, points: { show: false } },
    { label: "p99", stroke: colour(host, "--nl-p99", "#b0bec5"), width, points: { show: false } },
  ];
}

/** p50, p95 and p99 of a plugin's calls of late, with axes. */
export class LatencyChart {
  readonly element = el("div", { class: "nl-chart" });
  private plot: uPlot | undefined;
  private points: readonly TrendPoint[] = [];
  private readonly forget: Dispose;

  constructor() {
    this.forget = onTheme(() => {
      this.plot?.destroy();
      this.plot = undefined;
      this.show(this.points);
    });
  }

  show(points: readonly TrendPoint[]): void {
    this.points = points;
    if (points.length < 2) {
      return;
    }
    if (this.plot) {
      this.plot.setData(columns(points));
      return;
    }
    const ink = colour(this.element, "--nl-ink-quiet", "#616161");
    const grid = { stroke: colour(this.element, "--nl-line", "#e0e0e0"), width: 1 };
    const axis = { stroke: ink, grid, ticks: grid, font: "11px sans-serif" };
    this.plot = new uPlot(
      {
        width: Math.max(280, Math.min(560, this.element.clientWidth || 420)),
        height: 150,
        cursor: { y: false },
        legend: { live: true },
        scales: { y: { range: (_, __, max) => [0, max * 1.1 || 1] } },
        axes: [
          axis,
          { ...axis, size: 62, values: (_, ticks) => ticks.map((tick) => formatSeconds(tick)) },
        ],
        series: [
          { value: (_, at) => (at === null ? "–" : new Date(at * 1000).toLocaleTimeString()) },
          ...lines(this.element, 1.25).map((line) => ({
            ...line,
            value: (_: uPlot, seconds: number | null) => formatSeconds(seconds),
          })),
        ],
      },
      columns(points),
      this.element,
    );
  }

  dispose(): void {
    this.forget();
    this.plot?.destroy();
  }
}
