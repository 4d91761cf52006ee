"""A thread that waits for a socket: when it looks again and again, and when it sleeps at once."""

from __future__ import annotations

import os
import select
import socket
import threading
import time

import pytest

from nebula_lab.link import waiting
from nebula_lab.link.waiting import Waiter


class Poll:
    """A poll object of a real socket, which notes the time-outs that it is asked with.

    Attributes:
        on_ask: called before each look, with the number of those before it.
    """

    def __init__(self, reader: socket.socket, writer: socket.socket) -> None:
        self._poll = select.poll()
        self._poll.register(reader, select.POLLIN)
        self._reader, self._writer = reader, writer
        self.asked: list[float | None] = []
        self.on_ask = lambda count: None

    def poll(self, milliseconds):
        self.on_ask(len(self.asked))
        self.asked.append(milliseconds)
        return self._poll.poll(milliseconds)

    def write(self):
        self._writer.send(b"x")

    def waited(self, waiter, milliseconds=None):
        """Wait once, and what was asked for that."""
        self.asked.clear()
        waiter.wait(milliseconds)
        self._reader.recv(1)
        return list(self.asked)


@pytest.fixture
def poll():
    reader, writer = socket.socketpair()
    with reader, writer:
        yield Poll(reader, writer)


@pytest.fixture
def waiter(poll, monkeypatch):
    """One that has just waited for a short time, on a machine where nothing is slow."""
    monkeypatch.setattr(waiting, "SHORT", 60.0)
    monkeypatch.setattr(waiting, "LOOKING", 60.0)
    monkeypatch.setattr(waiting, "TAKEN", 60.0)
    found = Waiter(poll)
    poll.write()
    assert poll.waited(found) == [None]  # of one that has never waited, nothing is known
    return found


def write_at(poll, look):
    poll.on_ask = lambda count: poll.write() if count == look else None


def test_after_a_short_wait_it_looks_before_it_sleeps(poll, waiter):
    write_at(poll, 5)
    assert poll.waited(waiter) == [0] * 6


def test_after_a_long_wait_it_sleeps_at_once(poll, waiter, monkeypatch):
    monkeypatch.setattr(waiting, "SHORT", 0.0)
    monkeypatch.setattr(waiting, "LOOKING", 0.0)
    write_at(poll, 1)
    assert poll.waited(waiter) == [0, None]
    poll.write()
    assert poll.waited(waiter) == [None]


def test_it_looks_for_a_moment_only(poll, waiter, monkeypatch):
    monkeypatch.setattr(waiting, "LOOKING", 0.0)
    write_at(poll, 1)
    assert poll.waited(waiter, 50_000) == [0, 50_000]


def test_it_sleeps_where_its_core_is_taken_away(poll, waiter, monkeypatch):
    monkeypatch.setattr(waiting, "TAKEN", 0.0)
    write_at(poll, 1)
    assert poll.waited(waiter) == [0, None]


def test_having_looked_in_vain_it_sleeps_at_once_for_a_while(poll, waiter, monkeypatch):
    monkeypatch.setattr(waiting, "REST", 60.0)
    waiter._rest = 60.0
    monkeypatch.setattr(waiting, "LOOKING", 0.0)
    write_at(poll, 1)
    poll.waited(waiter)
    poll.on_ask = lambda count: None
    poll.write()
    assert poll.waited(waiter) == [None]


def test_each_time_in_vain_makes_that_longer_and_a_hit_short_again(poll, waiter, monkeypatch):
    rests = []
    monkeypatch.setattr(waiting, "LOOKING", 0.0)
    write_at(poll, 1)
    for _ in range(3):
        waiter._rests_until = 0.0
        poll.waited(waiter)
        rests.append(waiter._rest)
    waiter._rests_until = 0.0
    write_at(poll, 0)
    poll.waited(waiter)
    assert [*rests, waiter._rest] == [
        2 * waiting.REST,
        4 * waiting.REST,
        8 * waiting.REST,
        waiting.REST,
    ]


def test_where_another_thread_sleeps_it_sleeps_too(poll, waiter):
    reader, writer = socket.socketpair()
    with reader, writer:
        other = Poll(reader, writer)
        thread = threading.Thread(target=Waiter(other).wait, args=(None,))
        thread.start()
        deadline = time.monotonic() + 10
        while thread.ident not in waiting._asleep:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        poll.write()
        asked = poll.waited(waiter)
        other.write()
        thread.join()
    assert asked == [None]


def test_only_one_thread_looks(poll, waiter):
    reader, writer = socket.socketpair()
    with reader, writer:
        other = Poll(reader, writer)
        other.write()
        late = Waiter(other)
        other.waited(late)
        asked = []

        def wait_meanwhile(count):
            if count == 2:
                other.write()
                asked.extend(other.waited(late))
            elif count == 3:
                poll.write()

        poll.on_ask = wait_meanwhile
        poll.waited(waiter)
    assert asked == [None]


def test_what_interrupts_it_leaves_nobody_looking_or_asleep(poll, waiter):
    def interrupt(count):
        raise KeyboardInterrupt

    poll.on_ask = interrupt
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            waiter.wait(None)
        waiter._is_short = False
    assert (waiting._looking, waiting._asleep) == ({}, {})


def test_a_fork_takes_no_threads_along(poll, waiter):
    waiting._asleep[1] = None  # a thread that the fork does not have
    try:
        child = os.fork()
        if child == 0:
            os._exit(len(waiting._asleep))
    finally:
        waiting._asleep.clear()
    assert os.waitpid(child, 0)[1] == 0
