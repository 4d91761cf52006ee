"""Segments are lent, come back, are used again, and are given up."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import socket
import threading

import channel_ends
import numpy as np
import pyarrow as pa
import pytest

from nebula_lab.link import lender as lending
from nebula_lab.link import segment as segments
from nebula_lab.link.lent_segment import State
from nebula_lab.link.warm_memory import WarmMemory, rounded_size
from nebula_lab.wire.errors import LocalProtocolError
from nebula_lab.wire.manifest import BEHIND, TO_HOST, TO_MANAGER
from nebula_lab.wire.messages import Call, Output, Reply, Tidings
from nebula_lab.wire.parcel import MAX_FREIGHT, Attachment, Parcel
from nebula_lab.wire.values import NULL, decode_value, encode_value

ARRAY = np.arange(100_000.0)


def lent(pair, direction):
    """The numbers of the segments of one direction."""
    return {n for n, one in pair.manager.freight._segments.items() if one.direction == direction}


def tell(pair):
    """Have the host say what it has to say."""
    pair.pass_on(pair.host, pair.manager, Output(0, "stdout", "x"))


def warm(pair):
    """Let both directions have their segments."""
    for _ in range(5):
        value = float(pair.given(ARRAY).sum())
        pair.returned(ARRAY + value)
    tell(pair)


def test_the_first_params_go_over_the_socket_and_the_next_in_a_segment(pair):
    first, second = (pair.to_host(ARRAY).params for _ in range(2))
    assert [slot.segment for slot in first._slots] == [BEHIND]
    tell(pair)
    third = pair.to_host(ARRAY).params
    assert third._slots[0].segment in lent(pair, TO_HOST)
    del second


def test_a_result_of_a_new_size_comes_on_the_socket_and_the_next_in_a_segment(pair):
    warm(pair)
    larger = np.arange(300_000.0)
    kinds = []
    for _ in range(2):
        kinds.append(pair.to_manager(larger).result._slots[0].segment == BEHIND)
        pair.given(1)  # the segment for the next goes out with any message
    assert kinds == [True, False]


def test_the_same_segments_serve_call_after_call(pair):
    warm(pair)
    before = set(pair.manager.freight._segments)
    for _ in range(50):
        value = float(pair.given(ARRAY).sum())
        pair.returned(ARRAY + value)
    assert set(pair.manager.freight._segments) == before
    assert len(before) == 2


def test_a_segment_is_not_used_again_while_the_plugin_looks_at_it(pair):
    warm(pair)
    kept = pair.given(ARRAY)[10:20]
    for n in range(5):
        assert (pair.given(np.full(100_000, n)) == n).all()
        tell(pair)
    assert (kept == np.arange(10.0, 20.0)).all()
    del kept
    tell(pair)
    assert all(pair.manager.freight._segments[n].state is State.FREE for n in lent(pair, TO_HOST))


def test_a_piece_of_a_table_keeps_its_segment(pair):
    table = pa.table({"a": ARRAY})
    for _ in range(3):
        pair.given(table)
    kept = pair.given(table)["a"][5:10]
    for _ in range(3):
        pair.given(pa.table({"a": np.zeros(100_000)}))
        tell(pair)
    assert kept.to_pylist() == [5.0, 6.0, 7.0, 8.0, 9.0]


@pytest.mark.parametrize(
    "keep",
    [
        lambda array: array.T,
        lambda array: array.reshape(-1, 10)[3],
        lambda array: array.view("i8"),
        memoryview,
        lambda array: memoryview(array)[5:],
        lambda array: iter(array),
        lambda array: array.base,
    ],
    ids=["transposed", "row", "view", "memoryview", "slice", "iterator", "base"],
)
def test_any_view_keeps_a_segment(pair, keep):
    warm(pair)
    kept = keep(pair.given(ARRAY))
    gc.collect()
    tell(pair)
    busy = {n for n, one in pair.manager.freight._segments.items() if one.state is State.BUSY}
    assert busy & lent(pair, TO_HOST)
    del kept
    tell(pair)
    busy = {n for n, one in pair.manager.freight._segments.items() if one.state is State.BUSY}
    assert not busy & lent(pair, TO_HOST)


def test_a_result_that_is_kept_stays_what_it_was(pair):
    kept = [pair.returned(np.full(50_000, n)) for n in range(20)]
    assert all((array == n).all() for n, array in enumerate(kept))


def test_params_that_nobody_decodes_give_their_segment_back(pair):
    warm(pair)
    pair.to_host(ARRAY)
    tell(pair)
    states = {one.state for one in pair.manager.freight._segments.values()}
    assert State.BUSY not in {pair.manager.freight._segments[n].state for n in lent(pair, TO_HOST)}
    assert states


def test_a_result_that_nobody_decodes_gives_its_segment_back(pair):
    warm(pair)
    for _ in range(10):
        pair.to_manager(ARRAY)
        pair.given(1)
    assert len(lent(pair, TO_MANAGER)) <= 2


def test_what_is_idle_is_given_up_by_both_sides(pair):
    warm(pair)
    before = channel_ends.descriptors()
    for _ in range(2):  # what has just been released is idle only from then on
        pair.manager.freight.trim(0.0)
        pair.manager.send(Tidings())
        for end in (pair.host, pair.manager):
            with pytest.raises(TimeoutError):
                end.get(0.05)
    assert not pair.manager.freight._segments
    assert not pair.host.freight._segments
    assert channel_ends.descriptors() < before
    assert (pair.echoed(ARRAY) == ARRAY).all()


def test_a_segment_that_is_filled_while_it_is_asked_for_is_still_taken(pair):
    warm(pair)
    pair.manager.freight.trim(0.0)
    reply = pair.to_manager(ARRAY)  # crosses the farewell, which is not sent yet
    pair.manager.send(Tidings())
    assert (decode_value(reply.result) == ARRAY).all()
    assert (pair.echoed(ARRAY) == ARRAY).all()


def test_no_more_is_lent_than_the_limit_and_calls_go_on(pair, monkeypatch):
    monkeypatch.setattr(lending, "MOST_BYTES", 4_000_000)
    warm(pair)
    kept = [pair.given(np.full(100_000, n)) for n in range(10)]
    tell(pair)
    assert all((array == n).all() for n, array in enumerate(kept))
    lent_bytes = sum(
        one.size for one in pair.manager.freight._segments.values() if one.direction == TO_HOST
    )
    assert lent_bytes <= 4_000_000


def test_old_segments_make_room_for_those_of_another_size(pair, monkeypatch):
    monkeypatch.setattr(lending, "MOST_BYTES", 2_000_000)
    warm(pair)
    larger = np.arange(200_000.0)
    for _ in range(4):
        assert (pair.echoed(larger) == larger).all()
    assert any(pair.manager.freight._segments[n].size >= larger.nbytes for n in lent(pair, TO_HOST))


@pytest.mark.parametrize("error", [errno.ENOMEM, errno.ENOSPC, errno.EMFILE])
def test_without_memory_or_descriptors_for_a_segment_the_socket_is_taken(pair, monkeypatch, error):
    def fails(*arguments):
        raise OSError(error, os.strerror(error))

    pair.echoed(ARRAY)
    monkeypatch.setattr(segments.os, "posix_fallocate", fails)
    for _ in range(3):
        assert (pair.echoed(ARRAY) == ARRAY).all()
    assert not pair.manager.freight._segments


def test_without_memory_for_a_result_the_call_fails_and_the_next_does_not(pair, monkeypatch):
    def fails(size):
        raise MemoryError("no memory")

    for prepare in (lambda: None, lambda: warm(pair)):
        prepare()
        with monkeypatch.context() as patched:
            patched.setattr("nebula_lab.link.warm_memory._private_memory", fails)
            pair.manager.freight._memory.trim(0.0)
            with pytest.raises(MemoryError):
                pair.returned(ARRAY)
        assert (pair.returned(ARRAY) == ARRAY).all()


def test_without_room_to_map_params_the_call_fails_and_the_next_does_not(pair, monkeypatch):
    def fails(*arguments, **options):
        raise OSError(errno.ENOMEM, "no memory")

    pair.echoed(ARRAY)
    with monkeypatch.context() as patched:
        patched.setattr("nebula_lab.link.borrower.map_segment", fails)
        with pytest.raises(MemoryError):
            pair.given(ARRAY)
    tell(pair)
    pair.manager.freight.trim(0.0)  # it is asked for, and is not there
    assert (pair.given(ARRAY) == ARRAY).all()


def test_more_than_a_message_may_have_is_refused_and_the_next_goes_on(either):
    def write(target):
        raise AssertionError("nothing is to be written")

    huge = Parcel(NULL, [Attachment(MAX_FREIGHT, write), Attachment(1, write)])
    for end, message in (
        (either.manager, Call(1, "operation", "x", huge, 0)),
        (either.host, Reply(1, huge)),
    ):
        with pytest.raises(LocalProtocolError, match="larger than"):
            end.send(message)
    assert (either.echoed(ARRAY) == ARRAY).all()


@contextlib.contextmanager
def another_thread_sending(end):
    """While this lasts, a thread is in the middle of a message."""
    begun, done = threading.Event(), threading.Event()

    def send():
        with end.channel._sending:
            begun.set()
            done.wait(10)

    thread = threading.Thread(target=send)
    thread.start()
    begun.wait(10)
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_a_message_that_could_not_go_leaves_its_segment_to_the_next(pair):
    warm(pair)
    with another_thread_sending(pair.manager), pytest.raises(TimeoutError):
        pair.manager.send(Call(1, "operation", "x", encode_value(ARRAY), 0), timeout=0.01)
    assert (pair.given(ARRAY) == ARRAY).all()
    tell(pair)
    assert len(lent(pair, TO_HOST)) == 1


def test_a_new_segment_of_a_message_that_could_not_go_is_announced_again(pair):
    pair.echoed(ARRAY)
    before = channel_ends.descriptors()
    with another_thread_sending(pair.manager), pytest.raises(TimeoutError):
        pair.manager.send(Call(1, "operation", "x", encode_value(ARRAY), 0), timeout=0.01)
    assert channel_ends.descriptors() == before
    assert (pair.echoed(ARRAY) == ARRAY).all()


def test_a_result_that_has_come_can_be_taken_when_its_host_is_gone(pair):
    warm(pair)
    reply = pair.to_manager(ARRAY)
    before = channel_ends.descriptors()
    pair.close()
    assert (decode_value(reply.result) == ARRAY).all()
    assert channel_ends.descriptors() < before
    assert not pair.manager.freight._segments


def test_what_is_in_use_outlives_its_host(pair):
    warm(pair)
    given, returned = pair.given(ARRAY), pair.returned(ARRAY)
    pair.close()
    assert (given == ARRAY).all()
    assert (returned == ARRAY).all()


def test_a_closed_pair_leaves_no_descriptor(make_pair):
    before = channel_ends.descriptors()
    pair = make_pair()
    warm(pair)
    pair.to_manager(ARRAY)
    pair.close()
    gc.collect()
    assert channel_ends.descriptors() == before


def test_a_manager_without_shared_memory_talks_to_a_host_that_has_it(make_pair):
    lone, _ = channel_ends.over_the_socket()
    _, borrower = channel_ends.shared_memory()
    pair = make_pair(lambda: (lone, borrower))
    for _ in range(3):
        assert (pair.echoed(ARRAY) == ARRAY).all()


def test_a_thousand_megabytes_there_and_back_leave_as_much_memory_and_as_many_descriptors(pair):
    array = np.arange(131_072.0)
    for _ in range(50):
        pair.echoed(array)
    descriptors, resident = channel_ends.descriptors(), channel_ends.resident()
    for _ in range(1_000):
        pair.echoed(array)
    gc.collect()
    assert channel_ends.descriptors() == descriptors
    assert channel_ends.resident() - resident < 8_000_000


# The pool of private memory


def test_a_buffer_is_used_again_once_nobody_looks_at_it():
    pool = WarmMemory(10_000_000)
    first = np.frombuffer(pool.take(1_000_000), "u1")
    place = first.__array_interface__["data"][0]
    other = np.frombuffer(pool.take(1_000_000), "u1")
    assert other.__array_interface__["data"][0] != place
    view = first[10:]
    del first
    assert pool.unused == 0
    del view
    again = np.frombuffer(pool.take(900_000), "u1")
    assert again.__array_interface__["data"][0] == place


def test_a_pool_keeps_no_more_than_it_may():
    pool = WarmMemory(3_000_000)
    views = [pool.take(1_000_000) for _ in range(10)]
    del views
    assert 0 < pool.unused <= 3_000_000


def test_a_pool_gives_up_what_is_idle():
    pool = WarmMemory(10_000_000)
    pool.take(1_000_000)
    assert pool.unused
    assert not pool.trim(0.0)
    assert pool.unused == 0


def test_a_closed_pool_leaves_what_is_in_use():
    pool = WarmMemory(10_000_000)
    array = np.frombuffer(pool.take(1_000_000), "u1")
    pool.close()
    array[:] = 7
    assert (array == 7).all()


@pytest.mark.parametrize("nbytes", [1, 4096, 4097, 65_536, 1_000_001, 2**30 + 1])
def test_a_size_is_rounded_up_by_no_more_than_a_quarter_and_a_page(nbytes):
    assert nbytes <= rounded_size(nbytes) <= nbytes * 1.25 + 4096


# Off the pair


def test_a_host_closes_descriptors_that_it_did_not_ask_for():
    _, borrower = channel_ends.shared_memory()
    ours, theirs = socket.socketpair()
    before = channel_ends.descriptors()
    borrower.descriptors_arrived([os.dup(ours.fileno()), os.dup(ours.fileno())])
    borrower.close()
    assert channel_ends.descriptors() == before
    ours.close()
    theirs.close()
