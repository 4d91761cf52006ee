"""A whole run as text, as Markdown and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.machine import Machine
from benchmarks.result import Figure, Result, Row, Table
from benchmarks.spread import Spread
from benchmarks.targets import Outcome, outcomes

BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"
QUICK = "A quick run, which shows that everything works: its figures mean nothing."
TARGET_COLUMNS = ("target", "limit", "measured", "")


@dataclass(frozen=True)
class Report:
    """A run: the machine, each topic's result by title, and what became of the targets."""

    machine: Machine
    quick: bool
    results: Mapping[str, Result]
    outcomes: tuple[Outcome, ...]

    @classmethod
    def of(cls, machine: Machine, results: Mapping[str, Result], *, quick: bool) -> Report:
        measured = {key: value for one in results.values() for key, value in one.measured.items()}
        return cls(machine, quick, results, outcomes(measured))


def number(value: float) -> str:
    """Three digits that count, two below 1, without an exponent."""
    size = abs(value)
    if size == 0 or size >= 100:
        return f"{value:,.0f}"
    exponent = math.floor(math.log10(size))
    return f"{value:.{(1 if exponent < 0 else 2) - exponent}f}"


def spread_text(spread: Spread, unit: str) -> str:
    """`median unit (low–high)`; without the quartiles where there was one value."""
    text = f"{number(spread.median)} {unit}".rstrip()
    return f"{text} ({number(spread.low)}–{number(spread.high)})" if spread.count > 1 else text


def as_text(table: Table) -> str:
    """A table for a terminal."""
    lines = [("", *table.columns), *map(_cells, table.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join([table.title, *(_aligned(line, widths) for line in lines)])


def outcomes_table(report: Report) -> list[tuple[str, ...]]:
    """The targets, line by line: what, its limit, what was measured, and the verdict."""
    return [
        (
            one.target.what,
            f"{one.target.bound.value} {number(one.target.limit)} {one.target.unit}",
            spread_text(one.measured, one.target.unit) if one.measured else "—",
            one.verdict,
        )
        for one in report.outcomes
    ]


def outcomes_text(report: Report) -> str:
    lines = [TARGET_COLUMNS, *outcomes_table(report)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = "\n".join(_aligned(line, widths) for line in lines)
    return f"{QUICK}\n{table}" if report.quick else table


def as_markdown(report: Report) -> str:
    """The block that docs/performance.md carries between its markers."""
    parts = [QUICK] if report.quick else []
    parts += [_machine_line(report.machine), "### Targets"]
    parts.append(_markdown_table(TARGET_COLUMNS, outcomes_table(report)))
    for title, result in report.results.items():
        parts += [f"### {title}", *_tables(result)]
    return "\n\n".join([BEGIN, *parts, END])


def result_as_markdown(report: Report, title: str) -> str:
    """The block of a document that has one topic's tables alone."""
    parts = [QUICK] if report.quick else []
    parts += [_machine_line(report.machine), *_tables(report.results[title])]
    return "\n\n".join([BEGIN, *parts, END])


def _tables(result: Result) -> Iterator[str]:
    for table in result.tables:
        yield f"{table.title}:"
        yield _markdown_table(("", *table.columns), map(_cells, table.rows))


def write_markdown(report: Report, path: Path) -> None:
    """Put the block of all topics into a document; see `put_block`."""
    put_block(as_markdown(report), path)


def put_block(block: str, path: Path) -> None:
    """Put a block into a document in the place of the one that it has.

    Raises:
        ValueError: the document has no markers for it, or has them in disorder.
    """
    text = path.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} has no place for the tables: it needs {BEGIN} and then {END}")
    path.write_text(before + block + after)


def as_json(report: Report) -> bytes:
    """Everything, for programs; spreads in the units that they are printed in."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1)


def _cells(row: Row) -> tuple[str, ...]:
    return (row.name, *map(_cell, row.figures))


def _cell(figure: Figure | None) -> str:
    return spread_text(figure.spread, figure.unit) if figure else "—"


def _aligned(cells: Iterable[str], widths: list[int]) -> str:
    first, *others = (
        cell.ljust(width) if index == 0 else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join([first, *others]).rstrip()


def _markdown_table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [columns, ("---", *("---:" for _ in columns[1:])), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _machine_line(machine: Machine) -> str:
    versions = ", ".join(f"{package} {version}" for package, version in machine.versions.items())
    loads = ", then ".join(f"{load:.1f}" for load in machine.loads)
    return (
        f"Measured on {machine.date}: {machine.processor}, {machine.cores} cores, "
        f"{machine.memory / 2**30:.0f} GiB, {machine.kernel}, {machine.python}, "
        f"nebula_lab {machine.nebula_lab}; load average {loads}. "
        f"With {versions}."
    )
