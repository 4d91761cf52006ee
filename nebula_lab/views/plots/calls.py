"""How long calls took, and how many there were and failed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from nebula_lab.metrics import DurationSummary
from nebula_lab.plugin.safe_text import line
from nebula_lab.views.plots.picture import Picture
from nebula_lab.views.plots.style import (
    COLOURS,
    DASHES,
    GRID,
    INK,
    LEGEND,
    PAPER,
    name,
    new_figure,
    say,
    title,
)
from nebula_lab.views.quantities import counted, duration

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_CURVES = len(COLOURS)
_MOST_BARS = 15
# Bars of the histogram for each doubling of the time: the counts are finer, and would be a comb.
_PER_DOUBLING = 2


class Counted(Protocol):
    """Whose calls are counted: a plugin, or an operation."""

    @property
    def executions(self) -> int: ...
    @property
    def failures(self) -> int: ...
    @property
    def duration(self) -> DurationSummary: ...


def draw_calls(noun: str, counts: Mapping[str, Counted]) -> Picture:
    """A histogram of durations, and a bar of calls, for the busiest.

    Args:
        noun: what is counted, such as "plugin".
        counts: by name.
    """
    called = {key: one for key, one in counts.items() if one.executions}
    busiest = sorted(called, key=lambda key: (-called[key].executions, key))
    bars = busiest[:_MOST_BARS]
    figure, (above, below) = new_figure([3.2, 1.0 + 0.32 * max(1, len(bars))])
    _draw_durations(above, called, busiest[:_MOST_CURVES])
    _draw_counts(below, called, bars)
    title(above, "How long calls took" + _of(noun, len(busiest), _MOST_CURVES))
    title(below, "Calls" + _of(noun, len(busiest), _MOST_BARS))
    return Picture(figure, _in_words(noun, called, bars, len(busiest)))


def _of(noun: str, number: int, most: int) -> str:
    return f", of the {most} busiest of {counted(number, noun)}" if number > most else ""


def _draw_durations(axes: Axes, called: Mapping[str, Counted], shown: Sequence[str]) -> None:
    if not shown:
        say(axes, "No calls yet.")
        return
    axes.set_xscale("log")
    for key, colour, dashes in zip(shown, COLOURS, DASHES, strict=False):
        took = called[key].duration
        edges, shares = _histogram(took)
        label = f"{name(key)}: median {duration(took.p50)}, p95 {duration(took.p95)}"
        axes.stairs(shares, edges, color=colour, linestyle=dashes, linewidth=1.8, label=label)
        axes.stairs(shares, edges, color=colour, alpha=0.10, fill=True)
    axes.xaxis.set_major_formatter(lambda seconds, _: _short(seconds))
    axes.xaxis.set_minor_formatter(lambda seconds, _: _short_between(seconds))
    axes.set_xlabel("time of a call", color=INK, fontsize=9)
    axes.set_ylabel("% of calls", color=INK, fontsize=9)
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, axis="y", color=GRID, linewidth=0.6)
    axes.legend(**LEGEND, loc="best")


def _histogram(took: DurationSummary) -> tuple[list[float], list[float]]:
    """Edges in seconds, and between them what part of the calls, in %."""
    counts: dict[int, int] = {}
    for upper, count in took.buckets:
        # The middle of a fine bucket says to which coarse one it belongs.
        place = math.floor(math.log2(upper) * _PER_DOUBLING - 1e-6)
        counts[place] = counts.get(place, 0) + count
    places = range(min(counts) - 1, max(counts) + 2)
    edges = [2 ** (place / _PER_DOUBLING) for place in (*places, places.stop)]
    return edges, [100 * counts.get(place, 0) / took.count for place in places]


def _short(seconds: float) -> str:
    """`10 ms`: a whole unit, as axes have it."""
    for factor, unit in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= factor * 0.999:
            return f"{seconds / factor:,.4g} {unit}"
    return f"{seconds / 1e-9:.4g} ns"


def _short_between(seconds: float) -> str:
    """As `_short`, for 2 and 5 between the powers of ten, where there is room for no more."""
    leading = seconds / 10 ** math.floor(math.log10(seconds) + 1e-9)
    return _short(seconds) if round(leading, 6) in (2, 5) else ""


def _draw_counts(axes: Axes, called: Mapping[str, Counted], shown: Sequence[str]) -> None:
    if not shown:
        say(axes, "No calls yet.")
        return
    rows = range(len(shown))
    well = [called[key].executions - called[key].failures for key in shown]
    failed = [called[key].failures for key in shown]
    axes.barh(rows, well, color=COLOURS[0], height=0.6, label="succeeded")
    if any(failed):
        axes.barh(
            rows,
            failed,
            left=well,
            height=0.6,
            label="failed",
            color=COLOURS[1],
            edgecolor=PAPER,
            hatch="////",
        )
        axes.legend(**LEGEND, loc="lower right")
    for row, key in enumerate(shown):
        label = f" {_count(called[key])}"
        axes.text(called[key].executions, row, label, va="center", fontsize=8, color=INK)
    axes.set_yticks(rows, [name(key) for key in shown])
    axes.invert_yaxis()
    axes.margins(x=0.22)
    axes.set_xlim(left=0)
    axes.locator_params(axis="x", integer=True)


def _count(one: Counted) -> str:
    return f"{one.executions:,}" + (f", {one.failures:,} failed" if one.failures else "")


def _in_words(noun: str, called: Mapping[str, Counted], shown: Sequence[str], number: int) -> str:
    head = f"How long calls took, and how many failed: {counted(number, noun)}."
    rows = [
        f"  {line(key)}: {counted(called[key].executions, 'call')}, "
        f"{counted(called[key].failures, 'failure')}, median {duration(called[key].duration.p50)}, "
        f"p95 {duration(called[key].duration.p95)}"
        for key in shown
    ]
    return "\n".join([head, *rows])
