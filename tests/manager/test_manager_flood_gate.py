"""How much of what a host writes is let through, and how much of it is kept."""

from __future__ import annotations

import math
import threading
from datetime import UTC, datetime

import pytest

from nebula_lab.model.events import OutputWritten
from nebula_lab.runtime.dispatcher import MAX_SHOWN_CHARACTERS, Dispatcher
from nebula_lab.runtime.log_ring import KEPT_CHARACTERS, KEPT_LINES, LogRing
from nebula_lab.transport.budget import Budget
from nebula_lab.transport.flood_gate import (
    LARGEST_DISPLAY,
    MOST_WAITING,
    RECORD_COST,
    TEXT_BURST,
    FloodGate,
)
from nebula_lab.wire.messages import Display, Log, Output, Progress
from nebula_lab.wire.values import encode_value


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_a_budget_stays_shut_until_a_seconds_worth_is_back():
    clock = Clock()
    budget = Budget(rate=10, burst=30, clock=clock)
    assert [budget.take(20), budget.take(20), budget.take(1)] == [20, 10, 0]
    clock.now = 0.9
    assert budget.take(1) == 0
    clock.now = 1.0
    assert budget.take(4) == 4


def test_what_can_not_be_cut_is_taken_whole_or_not_at_all():
    budget = Budget(rate=10, burst=30, clock=Clock())
    assert [budget.take_whole(40), budget.take_whole(30)] == [False, True]


def admitted(gate, message, call=1, is_taken=True):
    return gate.admit(message, call, is_taken=is_taken)


def test_what_fits_passes_unchanged():
    gate = FloodGate(Clock())
    for message in (Output(1, "stdout", "x"), Log(1, 20, "l", "m"), Progress(1, 1.0, 2.0, "p")):
        assert admitted(gate, message) == [message]
    assert gate.settle(1) == []


def test_the_note_stands_where_something_is_missing():
    clock = Clock()
    gate = FloodGate(clock)
    (first,) = admitted(gate, Output(1, "stdout", "x" * (TEXT_BURST + 1000)))
    assert len(first.text) == TEXT_BURST - RECORD_COST
    assert admitted(gate, Output(1, "stdout", "lost\n")) == []
    clock.now = 2.0
    note, last = admitted(gate, Output(1, "stdout", "last\n"))
    assert note.text.startswith(f"\n… {1005 + RECORD_COST:,} characters left out")
    assert (note.stream, last.text) == ("stderr", "last\n")


def test_what_nobody_takes_is_held_back_before_it_fills_the_memory():
    clock = Clock()
    gate = FloodGate(clock)
    passed = 0
    for _ in range(100):
        clock.now += 1
        passed += sum(
            len(one.text) for one in admitted(gate, Output(1, "stdout", "x" * 999_900), 1, False)
        )
    assert passed <= MOST_WAITING
    assert "characters left out" in gate.settle(1)[0].text


def test_a_display_that_is_too_large_is_counted():
    gate = FloodGate(Clock())
    large = encode_value({"data": {"text/plain": "x" * (LARGEST_DISPLAY + 1)}}, "display")
    assert admitted(gate, Display(1, "display", large)) == []
    assert "1 displays left out" in gate.settle(1)[0].text


def test_calls_are_told_of_what_was_their_own():
    gate = FloodGate(Clock())
    admitted(gate, Output(1, "stdout", "x" * (TEXT_BURST + 50)), 1)
    admitted(gate, Output(2, "stdout", "yy"), 2)
    assert "2 characters" in gate.settle(2)[0].text
    assert f"{50 + RECORD_COST} characters" in gate.settle(1)[0].text


def test_a_log_is_bounded_in_lines_and_characters():
    log = LogRing()
    for _ in range(3):
        log.add("stdout", "\n" * 3_000_000)
    assert len(log) == KEPT_LINES
    for _ in range(KEPT_LINES):
        log.add("stdout", "x" * 100_000)
    assert sum(len(one.text) for one in log) <= KEPT_CHARACTERS


def test_what_waits_for_a_slow_subscriber_is_bounded_in_characters():
    at, told, gate, reached = datetime.now(UTC), [], threading.Event(), threading.Event()
    dispatcher = Dispatcher()

    def slow(event):
        reached.set()
        gate.wait(60)
        told.append(len(event.text))

    dispatcher.subscribe(slow)
    dispatcher.emit(OutputWritten("x", at, "stdout", "first"))
    assert reached.wait(60)
    for _ in range(1000):
        dispatcher.emit(OutputWritten("x", at, "stdout", "x" * 60_000))
    gate.set()
    dispatcher.close()
    assert sum(told) <= MAX_SHOWN_CHARACTERS + 5


@pytest.mark.parametrize(("done", "total"), [(math.inf, 1.0), (math.nan, None), (1.0, math.inf)])
def test_progress_that_is_no_number_is_left_out(done, total):
    assert FloodGate().admit(Progress(1, done, total, ""), 1, is_taken=True) == []
