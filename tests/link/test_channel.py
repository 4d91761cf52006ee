"""Many threads wait on one channel, and each gets what is its own."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from queue import SimpleQueue

import pytest

from nebula_lab.link.channel import Channel
from nebula_lab.link.end import ChannelEndedError
from nebula_lab.wire.errors import LocalProtocolError
from nebula_lab.wire.framing import frame
from nebula_lab.wire.messages import COOKIE, Call, Hello, Output, Reply, Welcome
from nebula_lab.wire.protocol import Connection, Side
from nebula_lab.wire.values import NULL, encode_value


class End:
    """A channel whose messages go into the mailbox of their call."""

    def __init__(self, sock, side) -> None:
        self.boxes = {}
        self.channel = Channel(sock, Connection(side), self._route)

    def box(self, call=0):
        return self.boxes.setdefault(call, SimpleQueue())

    def _route(self, message):
        self.box(getattr(message, "call", 0)).put(message)

    def get(self, call=0, timeout=10.0):
        return self.channel.get(self.box(call), timeout)


@pytest.fixture
def pair():
    """A manager's end and a host's, past their greetings."""
    ours, theirs = socket.socketpair()
    manager, host = End(ours, Side.MANAGER), End(theirs, Side.HOST)
    host.channel.send(Hello(COOKIE, [2], 1, "3.11"))
    manager.get()
    manager.channel.send(Welcome(1))
    host.get()
    yield manager, host
    manager.channel.close()
    host.channel.close()


@pytest.fixture
def manager(pair):
    return pair[0]


@pytest.fixture
def host(pair):
    return pair[1]


def reply(call):
    return Reply(call, NULL)


def call(number, params=NULL):
    return Call(number, "operation", "x", params, 0)


def blocked_in_get(manager, wait_until, count):
    """Wait until so many threads wait: one reads and the others follow it."""
    channel = manager.channel
    wait_until(
        lambda: channel._is_led() and len(channel._following) == count - 1,
        "the waiting threads",
    )


@pytest.mark.parametrize("order", [range(1, 9), range(8, 0, -1), [3, 1, 8, 2, 7, 5, 4, 6]])
def test_each_thread_gets_its_own_message_in_whatever_order_they_come(
    manager, host, order, wait_until
):
    with ThreadPoolExecutor(8) as threads:
        waiting = {number: threads.submit(manager.get, number) for number in range(1, 9)}
        blocked_in_get(manager, wait_until, 8)
        for number in order:
            host.channel.send(reply(number))
        assert {number: w.result(30).call for number, w in waiting.items()} == {
            number: number for number in range(1, 9)
        }


def test_the_last_thread_is_served_when_its_leader_leaves_with_several_messages_read(
    manager, host, wait_until
):
    with ThreadPoolExecutor(8) as threads:
        for _ in range(50):
            waiting = [threads.submit(manager.get, number) for number in range(1, 8)]
            last = threads.submit(manager.get, 8)
            blocked_in_get(manager, wait_until, 8)
            # All in one piece, so that one leader reads them.
            batch = b"".join(host.channel._connection.send(reply(n)) for n in range(1, 8))
            host.channel._socket.sendall(batch)
            assert [w.result(30).call for w in waiting] == list(range(1, 8))
            host.channel.send(reply(8))
            assert last.result(30).call == 8


def test_threads_whose_time_is_up_leave_the_others_a_leader(manager, host, wait_until):
    def short(number):
        with pytest.raises(TimeoutError):
            manager.get(number, timeout=0.02 * number)

    with ThreadPoolExecutor(8) as threads:
        leaving = [threads.submit(short, number) for number in range(1, 8)]
        staying = threads.submit(manager.get, 8)
        for left in leaving:
            left.result(30)
        host.channel.send(reply(8))
        assert staying.result(30).call == 8


def test_eight_threads_of_five_hundred_calls_lose_nothing(manager, host):
    def serve():
        for _ in range(8 * 500):
            host.channel.send(reply(host.channel.get(host.boxes_of_calls, 10).call))

    host.boxes_of_calls = SimpleQueue()
    host.channel._route = host.boxes_of_calls.put

    def calls(thread):
        for n in range(500):
            number = thread * 1000 + n
            manager.channel.send(call(number))
            assert manager.get(number).call == number
        return 500

    with ThreadPoolExecutor(9) as threads:
        serving = threads.submit(serve)
        assert sum(threads.map(calls, range(1, 9))) == 4000
        serving.result(10)


def test_the_end_of_the_stream_reaches_every_waiting_thread(manager, host, wait_until):
    with ThreadPoolExecutor(6) as threads:
        waiting = [threads.submit(manager.get, number) for number in range(1, 7)]
        blocked_in_get(manager, wait_until, 6)
        host.channel.close()
        assert {type(w.exception(30)) for w in waiting} == {ChannelEndedError}


def test_rubbish_ends_the_channel_for_every_waiting_thread(manager, host, wait_until):
    with ThreadPoolExecutor(3) as threads:
        waiting = [threads.submit(manager.get, number) for number in range(1, 4)]
        blocked_in_get(manager, wait_until, 3)
        host.channel._socket.send(frame(b"\xc1 rubbish"))
        assert all(w.exception(30).is_protocol_error for w in waiting)


def test_what_came_before_the_end_is_still_given(manager, host):
    host.channel.send(reply(1))
    host.channel.close()
    assert manager.get(1).call == 1
    with pytest.raises(ChannelEndedError):
        manager.get(1)


def test_a_close_by_this_side_wakes_the_threads_that_wait(manager, wait_until):
    with ThreadPoolExecutor(3) as threads:
        waiting = [threads.submit(manager.get, number) for number in range(1, 4)]
        blocked_in_get(manager, wait_until, 3)
        manager.channel.close()
        assert {type(w.exception(30)) for w in waiting} == {ChannelEndedError}


def test_a_wait_ends_at_its_time(manager):
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        manager.get(1, timeout=0.05)
    assert 0.04 <= time.monotonic() - started < 2.0


def test_a_wait_of_no_time_looks_once(manager, host):
    host.channel.send(reply(1))
    assert manager.get(1, timeout=0.0).call == 1
    with pytest.raises(TimeoutError):
        manager.get(1, timeout=0.0)


def test_a_frame_that_comes_in_pieces_does_not_outlast_a_wait(manager, host):
    data = host.channel._connection.send(reply(1))
    host.channel._socket.send(data[:3])
    with pytest.raises(TimeoutError):
        manager.get(1, timeout=0.05)
    host.channel._socket.send(data[3:])
    assert manager.get(1).call == 1


def test_a_peer_that_does_not_read_ends_the_channel_at_the_senders_time(manager):
    big = Output(0, "stdout", "x" * 10_000_000)
    with pytest.raises(ChannelEndedError, match="stopped reading"):
        manager.channel.send(call(1, _value(big.text)), timeout=0.1)
    with pytest.raises(ChannelEndedError, match="stopped reading"):
        manager.channel.send(call(2))


def test_two_ends_that_send_much_at_once_do_not_wait_for_each_other(manager, host):
    text = "x" * 5_000_000
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(manager.channel.send, call(1, _value(text)), 20.0)
        two = threads.submit(host.channel.send, Output(2, "stdout", text), 20.0)
        # Nobody else reads until one of them is through; the last of the other's is read here.
        assert wait([one, two], 10, FIRST_COMPLETED).done
        assert len(manager.get(2).text) == len(text)
        assert host.get(1).call == 1
        one.result(20)
        two.result(20)


def _value(text):
    return encode_value(text)


def test_a_message_that_is_too_large_is_refused_and_the_channel_goes_on(manager, host):
    with pytest.raises(LocalProtocolError, match="larger than"):
        host.channel.send(Output(1, "stdout", "x" * (65 * 1024 * 1024)))
    host.channel.send(reply(1))
    assert manager.get(1).call == 1


def test_a_keyboard_interrupt_while_waiting_loses_nothing(manager, host, wait_until):
    """The main thread leads and is interrupted; a follower takes over, and what comes is there."""
    with ThreadPoolExecutor(2) as threads:

        def interrupt_when_it_waits():
            wait_until(lambda: manager.channel._is_led(), "the main thread's wait")
            follower = threads.submit(manager.get, 2)
            wait_until(lambda: manager.channel._following, "the follower")
            os.kill(os.getpid(), signal.SIGINT)
            return follower

        interrupting = threads.submit(interrupt_when_it_waits)
        with pytest.raises(KeyboardInterrupt):
            manager.get(1)
        follower = interrupting.result(30)
        host.channel.send(reply(1))
        host.channel.send(reply(2))
        assert follower.result(30).call == 2
    assert manager.get(1).call == 1


def test_a_waker_makes_the_reader_look_at_its_mailbox(manager, wait_until):
    wake = manager.channel.make_waker()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(manager.get, 1)
        wait_until(lambda: manager.channel._is_led(), "the reader")
        manager.box(1).put("something local")
        wake()
        assert waiting.result(30) == "something local"


def test_a_reader_does_not_spin_once_it_has_been_woken(manager, wait_until):
    wake = manager.channel.make_waker()
    wake()
    assert manager.channel.read() is False
    started = time.thread_time()
    with pytest.raises(TimeoutError):
        manager.get(1, timeout=0.2)
    assert time.thread_time() - started < 0.1


def test_no_thread_is_left_waiting_when_readers_come_and_go(manager, host):
    """Followers with short waits come and go in a crowd while messages stream in."""
    stop = threading.Event()

    def restless(own):
        while not stop.is_set():
            try:
                manager.get(own, timeout=0.0005)
            except TimeoutError:
                continue

    with ThreadPoolExecutor(8) as threads:
        crowd = [threads.submit(restless, 1000 + n) for n in range(4)]
        try:
            for number in range(1, 300):
                waiting = threads.submit(manager.get, number, 5.0)
                host.channel.send(reply(number))
                assert waiting.result(6).call == number
        finally:
            stop.set()
        for one in crowd:
            one.result(30)


def test_what_was_written_beside_the_channel_before_a_message_is_seen_before_it(manager, host):
    readable, writable = os.pipe()
    seen = []
    manager.channel.attend(readable, lambda: seen.append(os.read(readable, 100)))
    os.write(writable, b"first")
    host.channel.send(reply(1))
    manager.get(1)
    assert seen == [b"first"]
    manager.channel.neglect(readable)
    os.close(readable)
    os.close(writable)


def test_a_descriptor_that_is_neglected_is_not_looked_at_any_more(manager, host):
    readable, writable = os.pipe()
    seen = []
    manager.channel.attend(readable, lambda: seen.append(1))
    manager.channel.neglect(readable)
    os.write(writable, b"x")
    host.channel.send(reply(1))
    manager.get(1)
    assert seen == []
    os.close(readable)
    os.close(writable)


def test_an_attended_descriptor_alone_ends_no_wait(manager):
    readable, writable = os.pipe()
    manager.channel.attend(readable, lambda: os.read(readable, 100))
    os.write(writable, b"x")
    with pytest.raises(TimeoutError):
        manager.get(1, timeout=0.05)
    manager.channel.neglect(readable)
    os.close(readable)
    os.close(writable)
