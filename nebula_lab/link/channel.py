"""A socket that speaks the protocol and is read by whichever thread happens to wait.

One thread that waits for a message, the leader, reads for all; the others, its followers, sleep
until the leader hands them what is theirs or steps down. No thread exists only to read, so a call
costs no switch between threads (Schmidt et al., "Leader/Followers", 2000).
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable
from queue import Empty
from typing import Any

from nebula_lab.link.carriage import freight_of
from nebula_lab.link.descriptors import receiver_of, receiver_of_descriptors
from nebula_lab.link.end import ChannelEndedError, End, Mailbox
from nebula_lab.link.freight import Consignment, Freight
from nebula_lab.link.sending import Sender
from nebula_lab.link.waiting import Waiter
from nebula_lab.wire.errors import LocalProtocolError, ProtocolError
from nebula_lab.wire.messages import Message, Tidings
from nebula_lab.wire.parcel import Behind, LadenError
from nebula_lab.wire.protocol import Connection, Phase, Side, parcel_of

# Larger ones come from mmap, with a page fault for each of their pages: 17 µs a call.
_CHUNK = 64 * 1024
# Seconds after which a follower looks whether there is a leader: one that was interrupted may not
# have passed it on.
_LOOK_AGAIN = 1.0
_LEAVING = 5.0  # seconds that others have to let go of a socket that has been shut down
_NOW = 0.0  # on the clock of `time.monotonic`, whose moments are all later
_LEAD = object()  # tells a follower that nobody reads any more


class Channel(End):
    """One end of a conversation over a connected stream socket.

    Args:
        sock: becomes the channel's own and is closed with it.
        connection: the protocol, from this end.
        route: is given each message that arrives, by whatever thread reads; it must not block.
        freight: deals with what travels beside messages.
    """

    def __init__(
        self,
        sock: socket.socket,
        connection: Connection,
        route: Callable[[Any], None],
        freight: Freight | None = None,
    ) -> None:
        sock.setblocking(False)
        self._socket = sock
        self.freight = freight or freight_of(connection.side)
        connection.porter = self.freight
        self.freight.on_ready = self._take_descriptors
        self._recv = receiver_of(sock, takes_any=connection.side is Side.HOST)
        self._connection = connection
        self._route = route
        self._sender = Sender(sock, self.read, self.end)
        # Locks that know their owner. A KeyboardInterrupt may come between taking one and noting
        # that it was taken; so they are taken inside a `try`, and whatever `finally` gives back is
        # given back by its first step, which fails where this thread has none.
        self._sending = threading.RLock()
        self._leading = threading.RLock()
        self._following: dict[int, Mailbox] = {}
        self._readable = select.poll()
        self._readable.register(sock, select.POLLIN)
        self._poll = self._readable.poll
        self._wait = Waiter(self._readable).wait
        self._socket_alone = [(sock.fileno(), select.POLLIN)]
        self._attended: dict[int, Callable[[], object]] = {}
        self._ended: ChannelEndedError | None = None
        # True while bytes are between the socket and the protocol. An exception from a signal
        # handler that falls into those few instructions loses them, and so ends the channel.
        self._mid_send = False
        self._mid_read = False

    @property
    def ended(self) -> ChannelEndedError | None:
        """Why there will be no more messages, or None while there may be."""
        return self._ended

    def fileno(self) -> int:
        return self._socket.fileno()

    def make_waker(self) -> Callable[[], None]:
        """A function that makes whoever reads look at its mailbox again; for any thread.

        Without it, a thread that reads learns only of what has come over the socket.
        """
        waker = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.attend(waker, lambda: os.eventfd_read(waker))
        return lambda: os.eventfd_write(waker, 1)

    def attend(self, descriptor: int, on_readable: Callable[[], object]) -> None:
        """Have whoever reads call `on_readable` too, when `descriptor` can be read.

        What was written there before a message was sent is then seen before that message.
        """
        self._attended[descriptor] = on_readable
        self._readable.register(descriptor, select.POLLIN)

    def neglect(self, descriptor: int) -> None:
        """End an `attend`, before the descriptor is closed."""
        if self._attended.pop(descriptor, None) is not None:
            self._readable.unregister(descriptor)

    def send(self, message: Message, timeout: float | None = None) -> None:
        """Send a message whole.

        Raises:
            ChannelEndedError: the other side is gone, or took a part of the message and not the
                rest in `timeout` seconds; the channel is then of no more use.
            TimeoutError: the other side took nothing of it in that time.
            LocalProtocolError: the message is too large, or not for now. Nothing was sent.
        """
        if self._ended:
            raise self._ended
        try:
            data = b"" if self.freight.news else self._connection.send(message)
        except LadenError:
            data = b""
        except LocalProtocolError as error:
            raise self._unsendable(error) from None
        if data:
            self._transmit(data, timeout)
        else:
            self._send_laden(message, timeout)

    def _unsendable(self, error: LocalProtocolError) -> Exception:
        if self._connection.phase is Phase.CLOSED:
            return self.end("the connection was closed")
        return error

    def _send_laden(self, message: Message, timeout: float | None) -> None:
        """Send a message with attachments, or with news of segments, beside it."""
        try:
            consignment = self.freight.load(parcel_of(message))
        except LocalProtocolError as error:
            raise self._unsendable(error) from None
        try:
            data = self._connection.send_laden(message, consignment.manifest)
            self._transmit(data, timeout, consignment)
        except LocalProtocolError as error:
            self.freight.recall(consignment)
            raise self._unsendable(error) from None
        except TimeoutError:
            self.freight.recall(consignment)  # nothing has been sent
            raise
        self.freight.sent(consignment)

    def _transmit(
        self, data: bytes, timeout: float | None, consignment: Consignment | None = None
    ) -> None:
        sending, is_ours = self._sending, False
        if self._mid_send and _is_owned(sending):
            raise TimeoutError  # this very thread is sending, and reads meanwhile
        try:
            if not sending.acquire(False) and not sending.acquire(
                timeout=-1 if timeout is None else timeout
            ):
                raise TimeoutError
            if self._ended:
                raise self._ended
            is_ours = self._mid_send = True
            if consignment is None:
                self._sender.piece(data, timeout)
            else:
                self._sender.consignment(data, timeout, consignment)
            self._mid_send = False
        except TimeoutError:
            if is_ours:
                self._mid_send = False
            raise
        except OSError as error:
            if is_ours:
                self._mid_send = False
            raise self.end(f"the connection broke: {error}") from error
        finally:
            try:
                if is_ours and self._mid_send:
                    self.end("interrupted in the middle of a message")
            finally:
                try:  # noqa: SIM105 - suppress() would take steps of its own first
                    sending.release()
                except RuntimeError:
                    pass  # another thread sends

    def get_until(self, box: Mailbox, deadline: float | None) -> Any:
        """The same as `get`, until a moment on the clock of `time.monotonic`."""
        leading = self._leading
        while True:
            if not box.empty():
                item = box.get_nowait()
            elif self._ended:
                raise self._ended
            else:
                try:
                    if leading.acquire(False):
                        item = self._lead(box, deadline)
                    else:
                        item = self._follow(box, deadline)
                finally:
                    try:
                        leading.release()
                    except RuntimeError:
                        pass  # another thread leads
                    finally:
                        if self._following:
                            self._promote()
            if item is not _LEAD:
                return item

    def _lead(self, box: Mailbox, deadline: float | None) -> Any:
        """An item of `box`, or `_LEAD` if there will be none. The caller holds `_leading`."""
        while box.empty():
            if self._ended:
                return _LEAD
            self._read(deadline)
            # What comes for others must not hold us up for ever.
            if box.empty() and _is_past(deadline) and not self._ended:
                raise TimeoutError
        return box.get_nowait()

    def _follow(self, box: Mailbox, deadline: float | None) -> Any:
        """An item of `box`, or `_LEAD` once nobody reads any more."""
        self._following[id(box)] = box
        try:
            # The leader may have stepped down before it could see us.
            if not self._is_led():
                return _LEAD
            wait = _LOOK_AGAIN if deadline is None else min(_LOOK_AGAIN, _left(deadline))
            return box.get(timeout=wait)
        except Empty:
            if _is_past(deadline):
                raise TimeoutError from None
            return _LEAD
        finally:
            # We may leave with a message, or in vain, while being asked to lead: our caller
            # passes it on.
            self._following.pop(id(box), None)

    def _is_led(self) -> bool:
        """Whether another thread reads now."""
        try:
            return not self._leading.acquire(False)
        finally:
            try:  # noqa: SIM105 - suppress() would take steps of its own first
                self._leading.release()
            except RuntimeError:
                pass

    def _promote(self) -> None:
        """Wake a follower to lead, or all of them when there is nothing left to read."""
        if self._is_led():
            return
        for follower in list(self._following.values()):
            follower.put(_LEAD)
            if not self._ended:
                return

    def read(self) -> bool:
        """Read and route what there is now, unless another thread does already.

        Returns:
            Whether anything was read; not so when a waker ended the wait.
        """
        leading = self._leading
        if _is_owned(leading):
            return False  # a signal has interrupted this thread's own reading
        try:
            return leading.acquire(False) and self._read(_NOW)
        finally:
            try:
                leading.release()
            except RuntimeError:
                pass  # another thread leads
            finally:
                if self._following:
                    self._promote()

    def _read(self, deadline: float | None) -> bool:
        # Wait first and read without waiting after, so that an interrupt finds no bytes in hand.
        left = None if deadline is None else (deadline - time.monotonic()) * 1000
        ready = self._poll(0.0) if left is not None and left <= 0 else self._wait(left)
        if ready != self._socket_alone and not self._attend(ready):
            return False
        try:
            self._mid_read = True
            if self._connection.behind is None:
                data = self._recv(_CHUNK)
                messages = self._connection.arrived(data) if data else None
            else:
                messages = self._read_behind(self._connection.behind)
            if messages is not None:
                for message in messages:
                    self._route(message)
                self._mid_read = False
                if self.freight.owes_answer:
                    self._answer()
            else:
                self._mid_read = False
                self._connection.end_of_stream()
                self.end("the connection was closed")
        except BlockingIOError:
            self._mid_read = False
            return False
        except OSError as error:
            self._mid_read = False
            self.end(f"the connection broke: {error}")
        except ProtocolError as error:
            self._mid_read = False
            self.end(str(error), is_protocol_error=True)
        finally:
            if self._mid_read:
                self.end("interrupted in the middle of a message")
        return True

    def _attend(self, ready: list[tuple[int, int]]) -> bool:
        """See to what became ready besides the socket; whether the socket did."""
        has_socket = False
        for descriptor, _ in ready:
            attend = self._attended.get(descriptor)
            if attend is not None:
                attend()
            else:
                has_socket = has_socket or descriptor == self._socket_alone[0][0]
        return has_socket

    def _read_behind(self, behind: Behind) -> Iterable[Any] | None:
        """Read a piece of an array right to where it goes; None at the end of the stream."""
        target = behind.target
        count = self._socket.recv_into(target) if target is not None else 0
        return self._connection.arrived_behind(count) if count else None

    def _take_descriptors(self) -> None:
        """Be ready for them from now on; before, nobody is to pay for the look."""
        self._recv = receiver_of_descriptors(self._socket, self.freight)

    def _answer(self) -> None:
        """Tell the other side what it waits for; if that can't go now, it goes with the next."""
        with contextlib.suppress(TimeoutError, ConnectionError):
            self.send(Tidings(), timeout=0.0)

    def end(self, reason: str, *, is_protocol_error: bool = False) -> ChannelEndedError:
        """Note that the conversation is over; the first reason stays."""
        if self._ended is None:
            self._ended = ChannelEndedError(reason, is_protocol_error=is_protocol_error)
        return self._ended

    def close(self) -> None:
        """Hang up. A thread that reads now finds the end of the stream."""
        self.end("the connection was closed by this side")
        with contextlib.suppress(OSError):  # it may not be connected any more
            self._socket.shutdown(socket.SHUT_RDWR)
        try:
            for lock in (self._leading, self._sending):
                lock.acquire(timeout=_LEAVING)
            self._socket.close()
        finally:
            for lock in (self._leading, self._sending):
                try:  # noqa: SIM105 - suppress() would take steps of its own first
                    lock.release()
                except RuntimeError:
                    pass  # it did not let go, and finds the socket closed
        self.freight.close()
        self._promote()


def _is_owned(lock: threading.RLock) -> bool:
    """Whether this thread holds a lock."""
    return bool(lock._is_owned())  # type: ignore[attr-defined]


def _is_past(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
