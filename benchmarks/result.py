"""What a topic gives: tables for people, and measurements for the targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.contender import Contender
from benchmarks.rounds import Samples, take_turns
from benchmarks.spread import Spread, of_rounds, ratio

ENOUGH_FOR_P99 = 100  # samples in a round


@dataclass(frozen=True)
class Figure:
    """One cell of a table: a spread and its unit."""

    spread: Spread
    unit: str


@dataclass(frozen=True)
class Row:
    name: str
    figures: tuple[Figure | None, ...]


@dataclass(frozen=True)
class Table:
    """One table; `title` says what was done, and how often."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Result:
    """What came of a topic.

    Attributes:
        tables: for people.
        measured: by the key of a target.
    """

    tables: tuple[Table, ...]
    measured: Mapping[str, Spread] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """How much is to be done.

    Attributes:
        quick: as little as shows that everything works; the figures mean nothing.
        core: only what needs no package of the `bench` extra.
    """

    quick: bool = False
    core: bool = False

    def amount(self, full: int, quick: int = 2) -> int:
        return quick if self.quick else full

    def enter(self, contenders: Sequence[Contender]) -> list[Contender]:
        """Those that take part."""
        return [one for one in contenders if not (self.core and one.package)]

    def take_turns(
        self, contenders: Sequence[Contender], rounds: int, *, uncounted: int = 1
    ) -> Samples:
        """`rounds.take_turns` of those that take part."""
        return take_turns(self.enter(contenders), rounds, uncounted=uncounted)


@dataclass(frozen=True)
class Topic:
    """One subject.

    Attributes:
        name: on the command line.
        title: over its tables.
        contenders: all that it may need, for a plan.
        run: does it.
    """

    name: str
    title: str
    contenders: Callable[[Plan], Sequence[Contender]]
    run: Callable[[Plan], Result]


def timing_table(
    title: str,
    samples: Samples,
    unit: str,
    bases: Mapping[str, str],
    *,
    p99: bool = False,
) -> Table:
    """A row for each contender: its time, and its ratio to each base.

    Args:
        title: over the table.
        samples: seconds.
        unit: `µs`, `ms` or `s`, for the times.
        bases: contenders by the heading of their column.
        p99: with a column for it, for those with samples enough.
    """
    columns = ("p50", "p99") if p99 else ("time",)
    rows = tuple(
        Row(name, _times(rounds, unit, p99=p99) + _ratios(rounds, samples, bases))
        for name, rounds in samples.items()
    )
    return Table(title, (*columns, *bases), rows)


def seconds_in(unit: str) -> float:
    """How many of a unit are in a second."""
    return {"s": 1.0, "ms": 1e3, "µs": 1e6}[unit]


def _times(rounds: Sequence[Sequence[float]], unit: str, *, p99: bool) -> tuple[Figure | None, ...]:
    scale = seconds_in(unit)
    median = Figure(of_rounds(rounds).times(scale), unit)
    if not p99:
        return (median,)
    enough = len(rounds[0]) >= ENOUGH_FOR_P99
    return median, Figure(of_rounds(rounds, 0.99).times(scale), unit) if enough else None


def _ratios(
    rounds: Sequence[Sequence[float]], samples: Samples, bases: Mapping[str, str]
) -> tuple[Figure | None, ...]:
    return tuple(
        Figure(ratio(rounds, samples[base]), "×") if base in samples else None
        for base in bases.values()
    )
