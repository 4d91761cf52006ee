"""When a change has come to its end."""

from __future__ import annotations

import pytest

from nebula_lab.watch.events import FolderEvent, Kind
from nebula_lab.watch.settling import LONGEST, QUIET, QUIET_OF_SEVERAL, Settling


def settling(*events: tuple[float, str, Kind]) -> Settling:
    group = Settling(events[0][0])
    for at, name, kind in events:
        group.add(FolderEvent("/f", name, kind, at))
    return group


def test_a_file_that_was_closed_is_saved_after_a_short_quiet():
    group = settling((0, "a", Kind.WRITING), (0.003, "a", Kind.DONE))
    assert group.due == pytest.approx(0.003 + QUIET)


def test_several_files_need_a_longer_quiet():
    group = settling((0, "a", Kind.DONE), (0.003, "b", Kind.DONE))
    assert group.due == pytest.approx(0.003 + QUIET_OF_SEVERAL)


def test_so_does_a_file_that_is_gone():
    assert settling((0, "a", Kind.WENT)).due == pytest.approx(QUIET_OF_SEVERAL)


def test_a_file_that_was_gone_and_is_back_is_saved_after_a_short_quiet():
    group = settling((0, "a", Kind.WENT), (0.001, "a", Kind.DONE))
    assert group.due == pytest.approx(0.001 + QUIET)


def test_a_file_that_is_being_written_is_waited_for():
    assert settling((0, "a", Kind.WRITING), (0.5, "a", Kind.WRITING)).due == LONGEST


def test_who_saves_all_the_time_puts_it_off_only_so_long():
    events = [(n * 0.005, "a", Kind.DONE) for n in range(1_000)]
    assert settling(*events).due == LONGEST
