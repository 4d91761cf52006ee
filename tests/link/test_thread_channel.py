"""A channel between two threads of one process."""

from __future__ import annotations

import threading
import time
from queue import SimpleQueue

import msgspec
import numpy
import pytest

from nebula_lab.link.end import ChannelEndedError
from nebula_lab.link.thread_channel import ThreadChannel
from nebula_lab.wire.errors import LocalProtocolError
from nebula_lab.wire.framing import MAX_FRAME_SIZE
from nebula_lab.wire.messages import Cancel, Reply
from nebula_lab.wire.values import decode_value, encode_value


@pytest.fixture
def ends():
    """Both, and the box that the manager's puts all into."""
    manager, host = ThreadChannel.pair()
    box: SimpleQueue = SimpleQueue()
    manager.route, host.route = box.put, lambda message: None
    yield manager, host, box
    manager.close()


def test_what_is_sent_arrives_in_its_order(ends):
    manager, host, box = ends
    for number in range(3):
        host.send(Cancel(number))
    assert [manager.get(box).call for _ in range(3)] == [0, 1, 2]


def test_who_waits_in_vain_is_told_at_the_deadline(ends):
    manager, _, box = ends
    with pytest.raises(TimeoutError):
        manager.get(box, 0.01)
    with pytest.raises(TimeoutError):
        manager.get_until(box, time.monotonic() - 1)


def test_what_has_come_is_given_past_the_deadline_too(ends):
    manager, host, box = ends
    host.send(Cancel(1))
    assert manager.get(box, 0.0).call == 1


@pytest.mark.parametrize("who", ["manager", "host"])
def test_who_waits_is_woken_when_either_end_hangs_up(ends, who):
    manager, host, box = ends
    found = []

    def wait():
        try:
            manager.get(box)
        except ChannelEndedError as error:
            found.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    while not manager._waiting:
        time.sleep(0.001)
    (manager if who == "manager" else host).close()
    thread.join(10)
    assert found


def test_what_came_before_the_end_is_still_given(ends):
    manager, host, box = ends
    host.send(Cancel(1))
    host.close()
    assert manager.get(box).call == 1
    with pytest.raises(ChannelEndedError):
        manager.get(box)


def test_nothing_is_sent_to_one_that_has_hung_up(ends):
    manager, host, _ = ends
    host.close()
    with pytest.raises(ChannelEndedError):
        manager.send(Cancel(1))


def test_a_message_that_would_be_too_large_elsewhere_is_too_large_here(ends):
    _, host, box = ends
    with pytest.raises(LocalProtocolError):
        host.send(Reply(1, msgspec.Raw(bytes(MAX_FRAME_SIZE + 1))))
    assert box.empty()


def test_an_array_is_not_copied_on_its_way(ends):
    manager, host, box = ends
    sent = numpy.arange(100_000)
    host.send(Reply(1, encode_value({"array": sent})))
    found = decode_value(manager.get(box).result)["array"]
    assert numpy.shares_memory(sent, found)


def test_what_the_host_is_given_can_only_be_read():
    manager, host = ThreadChannel.pair()
    box: SimpleQueue = SimpleQueue()
    host.route = box.put
    manager.send(Reply(1, encode_value(numpy.arange(100_000))))
    assert not decode_value(host.get(box).result, is_frozen=True).flags.writeable


def test_bytes_are_not_copied_on_their_way(ends):
    manager, host, box = ends
    sent = bytes(100_000)
    host.send(Reply(1, encode_value(sent)))
    assert decode_value(manager.get(box).result) is sent
