"""Counts and durations of calls, kept while they happen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from nebula_lab.metrics import PluginRecorder
from nebula_lab.metrics.histogram import Histogram


def test_many_threads_lose_no_call():
    recorder = PluginRecorder()

    def calls(thread):
        for number in range(5000):
            recorder.record(f"op{number % 3}", 0.001, number % 10 != 0)
            if number % 500 == 0:
                recorder.snapshot()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(calls, range(8)))
    snapshot = recorder.snapshot()
    assert (snapshot.executions, snapshot.failures) == (40_000, 4_000)
    assert sum(one.executions for one in snapshot.operations.values()) == 40_000


def test_a_call_counts_at_once():
    recorder = PluginRecorder()
    recorder.record("op", 0.25, True)
    assert recorder.executions == 1
    assert recorder.snapshot().duration.largest == 0.25


def test_the_whole_has_the_durations_of_all_operations():
    recorder = PluginRecorder()
    recorder.record("slow", 2.0, True)
    recorder.record("quick", 0.5, False)
    duration = recorder.snapshot().duration
    assert (duration.count, duration.smallest, duration.largest) == (2, 0.5, 2.0)
    assert duration.mean == pytest.approx(1.25)


def test_the_last_failure_is_kept_in_one_clean_line_with_its_time():
    recorder = PluginRecorder()
    before = datetime.now(UTC)
    recorder.note_failure("first", "ValueError: one")
    recorder.note_failure("add", "\n  ValueError: \x1b[2Jno\u202e" + "W" * 1_000_000 + "\nmore")
    snapshot = recorder.snapshot()
    assert snapshot.last_error.startswith("add: ValueError: noWWW")
    assert len(snapshot.last_error) == 300
    assert before <= snapshot.last_error_at <= datetime.now(UTC)
    recorder.forget_trouble()
    assert (recorder.snapshot().last_error, recorder.snapshot().last_error_at) == ("", None)


def test_two_histograms_added_are_one_that_counted_all():
    one, other, both = Histogram(), Histogram(), Histogram()
    for number, seconds in enumerate([1e-9, 1e-5, 0.3, 0.3, 7.0, 1e9]):
        (one if number % 2 else other).record(seconds)
        both.record(seconds)
    one.add(other)
    assert one.buckets() == both.buckets()
    assert (one.count, one.smallest, one.largest) == (both.count, both.smallest, both.largest)
    assert one.total == pytest.approx(both.total)
