"""What happened to plugins, as a table."""

from __future__ import annotations

from collections.abc import Mapping

from nebula_lab.metrics import MomentKind, Timeline
from nebula_lab.views.quantities import counted, duration, moment
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.table import Cell, Column, Table
from nebula_lab.views.tone import Tone

_SHOWN = 100  # the newest
_COLUMNS = (
    Column("at"),
    Column("id"),
    Column("what"),
    Column("took", right=True),
    Column(""),
)
_TONES: Mapping[MomentKind, Tone] = {
    MomentKind.LOADED: Tone.GOOD,
    MomentKind.RELOADED: Tone.GOOD,
    MomentKind.RELOAD_FAILED: Tone.BAD,
    MomentKind.CRASHED: Tone.BAD,
    MomentKind.RESTARTED: Tone.GOOD,
    MomentKind.SUSPENDED: Tone.DOUBTFUL,
    MomentKind.UNLOADED: Tone.QUIET,
    MomentKind.FAILED: Tone.BAD,
}


def timeline_view(timeline: Timeline) -> Rendered:
    """One row for each moment, oldest first; of very many the newest."""
    moments = timeline.moments[-_SHOWN:]
    left = len(timeline.moments) - len(moments)
    since = f" since {moment(timeline.began)}" + (f"; {left:,} earlier ones" if left else "")
    return Table(
        caption=f"{counted(len(timeline.moments), 'moment')}{since}",
        columns=_COLUMNS,
        rows=[
            (
                moment(one.at),
                one.plugin_id,
                Cell(one.kind.value, _TONES[one.kind]),
                duration(one.duration),
                one.text,
            )
            for one in moments
        ],
        empty="Nothing has happened yet.",
    ).rendered()
