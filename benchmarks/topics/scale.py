"""Many plugins live at the same time, against pluggy, which isolates nothing."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks import ours
from benchmarks.contender import Contender
from benchmarks.payload import MEGABYTE
from benchmarks.peers import hooks
from benchmarks.result import Figure, Plan, Result, Row, Table, Topic
from benchmarks.spread import Spread

PLUGINS, PLUGGY = "**plugins**", "pluggy, in process"
LIVE = 200


class Column(NamedTuple):
    """A part of a life, as the contenders name it, and the unit that it is shown in."""

    heading: str
    part: str
    scale: float
    unit: str


COLUMNS = (
    Column("start each", "start", 1e3, "ms"),
    Column("a call to each", "call", 1e6, "µs"),
    Column("PSS each", "memory", 1 / MEGABYTE, "MB"),
    Column("threads each", "threads", 1, ""),
    Column("closing all", "closing", 1, "s"),
)


def contenders(plan: Plan) -> list[Contender]:
    live = plan.amount(LIVE, 3)
    return [
        Contender(PLUGGY, hooks.many, (live,), package="pluggy"),
        Contender(PLUGINS, ours.many, (live,)),
    ]


def run(plan: Plan) -> Result:
    samples = plan.take_turns(contenders(plan), 1, uncounted=0)
    lives = {name: rounds[0][0] for name, rounds in samples.items()}
    rows = tuple(_row(name, life) for name, life in lives.items())
    title = f"{plan.amount(LIVE, 3)} live, one life of all"
    table = Table(title, tuple(one.heading for one in COLUMNS), rows)
    return Result((table,), {"scale.closing": Spread.of(lives[PLUGINS]["closing"])})


def _row(name: str, life: dict[str, list[float]]) -> Row:
    return Row(name, tuple(_figure(life, one) for one in COLUMNS))


def _figure(life: dict[str, list[float]], column: Column) -> Figure:
    return Figure(Spread.of(life[column.part]).times(column.scale), column.unit)


TOPIC = Topic("scale", "Scale: 200 live plugins", contenders, run)
