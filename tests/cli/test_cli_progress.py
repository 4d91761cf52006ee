"""Progress on a terminal and without one, and what plugins show there."""

from __future__ import annotations

import io
import logging

import pytest
from rich.console import Console

from nebula_lab.cli.progress import NoProgress, ProgressBars, ProgressLines
from nebula_lab.cli.terminal import TerminalSink


@pytest.fixture
def lines():
    return []


def test_there_is_a_line_for_each_quarter(lines):
    progress = ProgressLines(lines.append)
    for done in range(1, 101):
        progress.report("p.op", done, 100, "")
    assert lines == [f"p.op: {done} of 100" for done in (25, 50, 75, 100)]


def test_the_next_call_begins_anew(lines):
    progress = ProgressLines(lines.append)
    for _ in range(2):
        progress.report("p.op", 4, 4, "done")
    assert lines == ["p.op: 4 of 4 done"] * 2


def test_without_a_total_there_are_no_lines(lines):
    ProgressLines(lines.append).report("p.op", 4, None, "")
    assert lines == []


@pytest.fixture
def screen():
    return Console(file=io.StringIO(), force_terminal=True, width=100)


def test_bars_show_how_far_a_call_has_come(screen):
    bars = ProgressBars(screen, redirect_stdout=False)
    bars.report("p.op", 3, 10, "third")
    bars.close()
    shown = screen.file.getvalue()
    assert all(text in shown for text in ("p.op", "3/10", "third"))


def test_bars_take_no_markup_and_no_escapes_from_a_plugin(screen):
    bars = ProgressBars(screen, redirect_stdout=False)
    bars.report("p.op", 3, 10, "[red]\x1b]0;title\x07[/red]")
    bars.close()
    assert "[red][/red]" in screen.file.getvalue()
    assert "title" not in screen.file.getvalue()


def test_bars_can_be_used_again_after_they_were_closed(screen):
    bars = ProgressBars(screen, redirect_stdout=False)
    for text in ("first", "second"):
        bars.report("p.op", 1, 2, text)
        bars.close()
    assert "second" in screen.file.getvalue()


def test_a_finished_call_leaves_its_bar(screen):
    bars = ProgressBars(screen, redirect_stdout=False)
    bars.report("p.op", 2, 2, "")
    bars.report("q.op", 1, 2, "")
    screen.file.truncate(0)
    bars.close()
    assert "p.op" not in screen.file.getvalue()


@pytest.fixture
def sink():
    return TerminalSink(NoProgress())


def test_no_escape_sequence_of_a_plugin_reaches_the_terminal(sink, capsys):
    sink.write("stdout", "\x1b[31mred\x1b[0m \x1b]52;c;steal\x07ok\n")
    assert capsys.readouterr().err == "red ok\n"


def test_a_display_is_shown_as_text(sink, capsys):
    sink.display("display", {"data": {"text/plain": "a table", "text/html": "<table>"}})
    assert capsys.readouterr().err == "a table\n"


@pytest.mark.parametrize("bundle", [{"data": {"text/plain": ""}}, {"data": {"image/png": "…"}}])
def test_a_display_without_text_is_passed_over(sink, capsys, bundle):
    sink.display("display", bundle)
    assert capsys.readouterr().err == ""


def test_warnings_are_shown_and_chatter_is_not(sink, capsys):
    sink.log(logging.INFO, "p", "chatter")
    sink.log(logging.WARNING, "p", "careful")
    assert capsys.readouterr().err == "WARNING p: careful\n"
