"""What plugins print, display and log, as a notebook shows it."""

from __future__ import annotations

import logging

import pytest
from IPython.utils.capture import capture_output

from nebula_lab.notebook.progress import ProgressBoard, progress_bar
from nebula_lab.notebook.sink import NotebookSink
from nebula_lab.views import Rendered


class Recorder:
    """A screen that keeps what it showed."""

    def __init__(self):
        self.shown = []

    def show(self, bar):
        self.shown.append(bar.text)

    def clear(self):
        self.shown.append("cleared")


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def screen():
    return Recorder()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def board(screen, clock):
    return ProgressBoard(lambda: screen, clock)


@pytest.fixture
def sink(shell, board):
    return NotebookSink(board)


def captured(action, *arguments):
    with capture_output() as output:
        action(*arguments)
    return output


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_text_goes_to_its_stream(sink, stream):
    output = captured(sink.write, stream, "hello\n")
    assert getattr(output, stream) == "hello\n"


def test_text_that_steers_the_terminal_is_cleaned(sink):
    assert captured(sink.write, "stdout", "\x1b]0;owned\x07a\x1b[31mb").stdout == "a\x1b[31mb"


BUNDLE = {
    "data": {"text/plain": "\x1b[31mx\x1b[0m", "image/png": "aGk="},
    "metadata": {"image/png": {"width": 1}},
    "transient": {"display_id": "ours"},
}


@pytest.mark.parametrize("action", ["display", "update"])
def test_a_display_is_published_as_the_manager_made_it(sink, action):
    (shown,) = captured(sink.display, action, BUNDLE).outputs
    assert (shown.data, shown.metadata) == (BUNDLE["data"], BUNDLE["metadata"])
    assert shown.transient == {"display_id": "ours"}
    assert shown.update == (action == "update")


def test_in_a_terminal_a_display_has_no_escape_sequence(board):
    sink = NotebookSink(board, colours=False)
    assert captured(sink.display, "display", BUNDLE).outputs[0].data["text/plain"] == "x"


def test_a_warning_is_one_line_on_stderr(sink):
    output = captured(sink.log, logging.WARNING, "my.plugin", "disk\nis slow")
    assert output.stderr == "WARNING my.plugin: disk is slow\n"


def test_a_record_below_a_warning_is_not_shown(sink):
    assert captured(sink.log, logging.INFO, "my.plugin", "fine").stderr == ""


def test_a_call_of_less_than_a_second_shows_no_progress(board, screen, clock):
    board.report("a.b", 1, 10, "")
    clock.now = 0.9
    board.report("a.b", 9, 10, "")
    board.report("a.b", 10, 10, "")
    assert screen.shown == []


def test_a_longer_call_shows_its_progress_and_leaves_nothing(board, screen, clock):
    board.report("a.b", 1, 10, "")
    clock.now = 1.5
    board.report("a.b", 5, 10, "half")
    clock.now = 2.0
    board.report("a.b", 10, 10, "")
    assert screen.shown == ["████████████░░░░░░░░░░░░ a.b 5/10 half", "cleared"]


def test_progress_is_shown_ten_times_a_second_at_most(board, screen, clock):
    board.report("a.b", 0, 1000, "")
    for step in range(1, 200):
        clock.now = 1.0 + step / 100
        board.report("a.b", step, 1000, "")
    assert len(screen.shown) <= 20


def test_what_stands_at_the_end_of_the_cell_is_taken_down(board, screen, clock):
    board.report("a.b", 1, None, "")
    clock.now = 2.0
    board.report("a.b", 2, None, "still busy")
    board.finish()
    board.finish()
    assert screen.shown == ["a.b 2 still busy", "cleared"]


@pytest.mark.parametrize(
    ("done", "total", "start"),
    [(0, 0, "a.b"), (1, float("nan"), "a.b"), (-5, 10, "░░"), (1, float("inf"), "a.b")],
)
def test_a_bar_bears_any_numbers(done, total, start):
    assert progress_bar("a.b", done, total, "").text.startswith(start)


def test_a_bar_has_a_progress_element_and_escapes_its_text():
    bar = progress_bar("a.b", 1, 4, "<b>\x1b[2J")
    assert bar == Rendered(
        "██████░░░░░░░░░░░░░░░░░░ a.b 1/4 <b>",
        '<progress value="0.2500"></progress> a.b 1/4 &lt;b&gt;',
    )
