"""What happened to plugins, and how much memory they had, over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from nebula_lab.metrics import MomentKind, Timeline
from nebula_lab.plugin.safe_text import line
from nebula_lab.views.plots.picture import Picture
from nebula_lab.views.plots.style import (
    COLOURS,
    DASHES,
    GRID,
    INK,
    LEGEND,
    name,
    new_figure,
    say,
    title,
)
from nebula_lab.views.quantities import counted, moment, size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_ROWS = 20
_MOST_CURVES = len(COLOURS)
_ONE_LINE = 5  # kinds of moments that are explained on one line
_MIB = 2**20
# The shape says what it was; colours say how good that is.
_BLUE, _RED, _GREEN, _GREY = COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[5]
_MARKS = {
    MomentKind.LOADED: (">", _GREEN),
    MomentKind.RELOADED: ("o", _BLUE),
    MomentKind.RELOAD_FAILED: ("D", _RED),
    MomentKind.CRASHED: ("X", _RED),
    MomentKind.RESTARTED: ("P", _GREEN),
    MomentKind.SUSPENDED: ("s", _GREY),
    MomentKind.UNLOADED: ("<", _GREY),
    MomentKind.FAILED: ("v", _RED),
}


def draw_timeline(timeline: Timeline) -> Picture:
    """A row for each plugin with what happened to it, and curves of memory below."""
    happened = Counter(one.plugin_id for one in timeline.moments)
    rows = sorted(key for key, _ in happened.most_common(_MOST_ROWS))
    largest = sorted(timeline.memory, key=lambda key: -_most(timeline, key))[:_MOST_CURVES]
    figure, (above, below) = new_figure([1.3 + 0.3 * max(1, len(rows)), 2.6])
    _draw_moments(above, timeline, rows)
    _draw_memory(below, timeline, sorted(largest))
    title(above, "What happened" + _of(len(happened), _MOST_ROWS, "busiest"))
    title(below, "Memory" + _of(len(timeline.memory), _MOST_CURVES, "largest"))
    for axes in (above, below):
        _draw_time(axes, timeline)
    return Picture(figure, _in_words(timeline, rows, sorted(largest)))


def _of(number: int, most: int, which: str) -> str:
    return f", of the {most} {which} of {counted(number, 'plugin')}" if number > most else ""


def _most(timeline: Timeline, plugin_id: str) -> int:
    return max((one.memory for one in timeline.memory[plugin_id]), default=0)


def _draw_moments(axes: Axes, timeline: Timeline, rows: Sequence[str]) -> None:
    if not rows:
        say(axes, "Nothing has happened yet.")
        return
    row_of = {key: row for row, key in enumerate(rows)}
    for kind, (mark, colour) in _MARKS.items():
        ours = [one for one in timeline.moments if one.kind is kind and one.plugin_id in row_of]
        if ours:
            axes.plot(
                [one.at for one in ours],  # type: ignore[arg-type]
                [row_of[one.plugin_id] for one in ours],
                linestyle="none",
                marker=mark,
                markersize=8,
                markeredgecolor="#FFFFFF",
                color=colour,
                label=f"{kind.value} ({len(ours):,})",
            )
    axes.set_yticks(range(len(rows)), [name(key) for key in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(visible=True, axis="y", color=GRID, linewidth=0.6)
    shown = len(axes.lines)
    axes.legend(
        **LEGEND,
        ncols=shown if shown <= _ONE_LINE else _ONE_LINE - 1,
        handletextpad=0.1,
        loc="lower right",
        bbox_to_anchor=(1, 1),
    )


def _draw_memory(axes: Axes, timeline: Timeline, shown: Sequence[str]) -> None:
    if not shown:
        say(axes, "No plugin with a process of its own has been looked at yet.")
        return
    for key, colour, dashes in zip(shown, COLOURS, DASHES, strict=False):
        samples = timeline.memory[key]
        at = [*(one.at for one in samples), timeline.at]
        had = [one.memory / _MIB for one in (*samples, samples[-1])]
        label = f"{name(key)}: now {size(samples[-1].memory)}, at most {size(_most(timeline, key))}"
        axes.step(
            at,  # type: ignore[arg-type]
            had,
            where="post",
            color=colour,
            linestyle=dashes,
            linewidth=1.8,
            label=label,
        )
    axes.set_ylabel("MiB", color=INK, fontsize=9)
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, axis="y", color=GRID, linewidth=0.6)
    axes.legend(**LEGEND, loc="best")


def _draw_time(axes: Axes, timeline: Timeline) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    first, last = _span(timeline)
    margin = max((last - first) * 0.02, timedelta(milliseconds=50))
    axes.set_xlim(first - margin, last + margin)  # type: ignore[arg-type]
    if not axes.get_xticks().size:
        return
    zone = datetime.now().astimezone().tzinfo
    locator = AutoDateLocator(tz=zone)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    form = ConciseDateFormatter(locator, tz=zone)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(form)


def _span(timeline: Timeline) -> tuple[datetime, datetime]:
    """From the first that is known, which may be long after the manager began, until now."""
    first = [one.at for one in timeline.moments[:1]]
    first += [samples[0].at for samples in timeline.memory.values() if samples]
    return min(first, default=timeline.began), timeline.at


def _in_words(timeline: Timeline, rows: Sequence[str], largest: Sequence[str]) -> str:
    first, last = _span(timeline)
    lines = [f"What happened to plugins from {moment(first)} to {moment(last)}:"]
    for key in rows:
        kinds = Counter(one.kind.value for one in timeline.moments if one.plugin_id == key)
        said = ", ".join(f"{kind} {count}×" for kind, count in kinds.items())
        lines.append(f"  {line(key)}: {said}")
    for key in largest:
        now, most = timeline.memory[key][-1].memory, _most(timeline, key)
        lines.append(f"  {line(key)}: memory now {size(now)}, at most {size(most)}")
    return "\n".join(lines)
