"""The tables, read back."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from benchmarks.machine import Machine
from benchmarks.report import (
    BEGIN,
    END,
    Report,
    as_json,
    as_text,
    number,
    put_block,
    result_as_markdown,
    write_markdown,
)
from benchmarks.result import Result, timing_table
from benchmarks.spread import Spread
from benchmarks.targets import TARGETS

DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"
SAMPLES = {"peer": [[1e-5] * 100, [2e-5] * 100], "ours": [[3e-5] * 100, [8e-5] * 100]}


@pytest.fixture
def report():
    table = timing_table("Microseconds", SAMPLES, "µs", {"× peer": "peer"}, p99=True)
    measured = {"calls.to_pipe": Spread(0.5, 0.75, 1.5, 3)}
    return Report.of(Machine.here(), {"Calls": Result((table,), measured)}, quick=False)


def markdown_tables(text: str) -> list[list[list[str]]]:
    """Every table of a document, as lines of cells; the first line is the heading."""
    tables: list[list[list[str]]] = []
    inside = False
    for line in text.splitlines():
        is_row = line.startswith("|")
        if is_row and not inside:
            tables.append([])
        inside = is_row
        if is_row and not line.startswith("| ---"):
            tables[-1].append([cell.strip() for cell in line.strip("|").split("|")])
    return tables


def test_the_block_is_read_back_as_it_was_measured(report, tmp_path):
    document = tmp_path / "performance.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_markdown(report, document)
    text = document.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    targets, calls = markdown_tables(text)
    assert [line[0] for line in targets[1:]] == [target.what for target in TARGETS]
    assert targets[1][1:] == ["at most 1.00 ×", "0.75 × (0.50–1.50)", "met"]
    assert targets[2][2:] == ["—", "not measured"]
    assert calls[0] == ["", "p50", "p99", "× peer"]
    ours = ["55.0 µs (42.5–67.5)", "55.0 µs (42.5–67.5)", "3.50 × (3.25–3.75)"]
    assert calls[2] == ["ours", *ours]


def test_the_block_names_the_machine_and_the_day(report, tmp_path):
    document = tmp_path / "performance.md"
    document.write_text(f"{BEGIN}{END}")
    write_markdown(report, document)
    machine = report.machine
    for part in (machine.date, machine.processor, machine.kernel, machine.python, "cores"):
        assert part in document.read_text()


def test_a_document_without_a_place_is_left_alone(report, tmp_path):
    document = tmp_path / "performance.md"
    document.write_text(f"{END} in disorder {BEGIN}")
    with pytest.raises(ValueError, match="has no place"):
        write_markdown(report, document)
    assert document.read_text() == f"{END} in disorder {BEGIN}"


def test_one_topic_has_a_block_of_its_own(report, tmp_path):
    document = tmp_path / "sandboxes.md"
    document.write_text(f"before {BEGIN} old {END} after")
    put_block(result_as_markdown(report, "Calls"), document)
    text = document.read_text()
    assert text.startswith("before ") and text.endswith(" after") and "old" not in text
    (calls,) = markdown_tables(text)
    assert calls[0] == ["", "p50", "p99", "× peer"]


def test_too_few_samples_have_no_p99():
    table = timing_table("", {"few": [[1.0] * 99]}, "s", {}, p99=True)
    assert table.rows[0].figures[1] is None
    assert as_text(table).split()[-1] == "—"


def test_json_has_the_spreads(report):
    decoded = msgspec.json.decode(as_json(report))
    measured = decoded["results"]["Calls"]["measured"]["calls.to_pipe"]
    assert measured == {"low": 0.5, "median": 0.75, "high": 1.5, "count": 3}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.0314, "0.031"), (0.15, "0.15"), (1, "1.00"), (31.44, "31.4"), (5123.6, "5,124")],
)
def test_numbers_keep_the_digits_that_count(value, text):
    assert number(value) == text


def test_the_document_has_every_target():
    targets = markdown_tables(DOCUMENT.read_text().partition(BEGIN)[2])[0]
    assert [line[0] for line in targets[1:]] == [target.what for target in TARGETS]
