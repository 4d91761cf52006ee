"""The manager's end of what it says to one host and hears from it, whatever carries it."""

from __future__ import annotations

import abc
import itertools
import time
from collections.abc import Callable
from contextvars import Context
from queue import SimpleQueue
from typing import Any, Protocol

from nebula_lab.link.end import ChannelEndedError, End
from nebula_lab.reports.exit_report import RunningCall
from nebula_lab.transport.flood_gate import SHOWN, FloodGate
from nebula_lab.transport.loop import LoopThread
from nebula_lab.wire.messages import (
    Cancel,
    Failure,
    Hello,
    Item,
    Loaded,
    Message,
    Progress,
    Refused,
    Reply,
    Request,
    Stopping,
    Welcome,
)
from nebula_lab.wire.parcel import size_of
from nebula_lab.wire.protocol import negotiate

_ANSWERS = frozenset({Reply, Failure, Loaded})
_MOST_QUEUED = 100_000
# Bytes of requests that one call may have waiting, beside one that is as large as can be.
_MOST_REQUESTED = 64 * 1024 * 1024


class PendingCall:
    """A call that is under way, as the link sees it.

    Attributes:
        number: the host's name for it, given by `HostLink.open_call`, as is the box.
        box: what came for it and has not been taken yet.
        answered: whether its answer is in there, or was.
        credit: how many items of a stream it may still be sent.
        requested: bytes of requests that nobody has looked at yet.
        context: of who made it, for a host in this process.
        told_at: when the call itself had been told to stop, on the clock of `time.monotonic`; None
            as long as that is not known.
        is_left: nobody waits for its answer any more, which may still come.
    """

    # Most calls give no stream and run in no context of ours: these stand for them all.
    number = 0
    answered = False
    credit = 0
    requested = 0
    context: Context | None = None
    told_at: float | None = None
    is_left = False
    box: SimpleQueue[Any]

    def described(self) -> RunningCall | None:
        """The call, for people; None where there is nothing to be said of it."""
        return None

    def told(self) -> None:
        """Note that the call itself has been told to stop; any thread."""
        self.told_at = time.monotonic()


class Send(Protocol):
    """Sends a message; see `Channel.send`."""

    def __call__(self, message: Message, timeout: float | None = None) -> None: ...


class CallLink(abc.ABC):
    """Calls go out, their answers come back, each to the thread that waits for it.

    Args:
        loop: runs what is to be done later.

    Attributes:
        send: see `Channel.send`.
        gate: holds back what the host shows beyond its budget.
        on_unclaimed: is given what belongs to no pending call, on the thread that brings it.
        on_ended: called on the loop's thread when the host hangs up while nobody waits.
    """

    _channel: End
    send: Send

    def __init__(self, loop: LoopThread) -> None:
        self._loop = loop
        self._greetings: SimpleQueue[Any] = SimpleQueue()
        self._pending: dict[int, PendingCall] = {}
        self._left: dict[int, PendingCall] = {}
        self._numbers = itertools.count(1)
        self._last = 0
        self.gate = FloodGate()
        self.on_unclaimed: Callable[[Any], None] = lambda message: None
        self.on_ended: Callable[[], None] = lambda: None

    @property
    def ended(self) -> ChannelEndedError | None:
        return self._channel.ended

    @abc.abstractmethod
    def receive(self, call: PendingCall, deadline: float) -> Any:
        """The next message for a call; see `Channel.get_until`."""

    @abc.abstractmethod
    def hand(self, call: PendingCall, message: Any) -> None:
        """Give whoever waits for a call a message that the host did not send; any thread."""

    @abc.abstractmethod
    def close(self) -> None:
        """Hang up."""

    def greet(self, timeout: float) -> Hello:
        """Agree with the host on a version of the protocol.

        Raises:
            TimeoutError: the host did not say hello within `timeout` seconds.
            ChannelEndedError: it is no host of ours, has no version in common, or is gone.
        """
        hello = self._channel.get(self._greetings, timeout)
        if not isinstance(hello, Hello):
            raise self._channel.end(hello.reason, is_protocol_error=True)
        answer = negotiate(hello)
        self._channel.send(answer, timeout)
        if isinstance(answer, Refused):
            raise self._channel.end(answer.reason, is_protocol_error=True)
        assert isinstance(answer, Welcome)
        return hello

    def open_call(self, call: PendingCall) -> None:
        """Give a call a number and a box; `close_call` takes the number back."""
        self._last = call.number = number = next(self._numbers)
        call.box = SimpleQueue()
        self._pending[number] = call

    def close_call(self, call: PendingCall) -> None:
        """Expect no more messages for a call."""
        self._pending.pop(call.number, None)
        if self.gate.accounts:
            self.gate.settle(call.number)

    def leave_call(self, call: PendingCall) -> None:
        """Take back the number of a call that has not come to its turn in the host yet.

        Nobody waits for its answer, and it counts for nothing; only whether it ends is looked at.
        """
        call.is_left = True
        self._left[call.number] = call
        self.close_call(call)
        if call.answered:  # meanwhile
            self._left.pop(call.number, None)

    def cancel(self, call: PendingCall) -> None:
        """Ask the host to stop a call; whether it does is another matter."""
        self._channel.send(Cancel(call.number), timeout=1.0)

    def end(self, reason: str) -> None:
        """Give the host up: what it sent makes no sense."""
        self._channel.end(reason, is_protocol_error=True)

    def call_later(self, delay: float, function: Callable[[], object]) -> None:
        """Have a function called on the loop's thread in `delay` seconds."""
        self._loop.call_later(delay, function)

    def pending(self, number: int) -> PendingCall | None:
        """The call of this number, unless it has been closed."""
        return self._pending.get(number)

    @property
    def is_busy(self) -> bool:
        """Whether a call is pending."""
        return bool(self._pending)

    def lent(self) -> int:
        """Bytes of memory that both ends share now; any thread."""
        return 0

    def running(self) -> tuple[RunningCall, ...]:
        """The pending calls that have not been answered, oldest first."""
        pending = (call.described() for call in list(self._pending.values()) if not call.answered)
        return tuple(call for call in pending if call is not None)

    def is_first(self, call: PendingCall) -> bool:
        """Whether there is none before it that has not been answered."""
        others = (other for other in list(self._pending.values()) if not other.answered)
        return next(others, call) is call

    def is_alone(self, call: PendingCall) -> bool:
        """Whether there is no other call, and has been none since this one."""
        return self._last == call.number and len(self._pending) == 1 and not self._left

    def sole_pending(self) -> PendingCall | None:
        """The pending call, if there is exactly one."""
        calls = list(self._pending.values())
        return calls[0] if len(calls) == 1 else None

    def take_in(self, message: Any, call: PendingCall | None) -> None:
        """Pass on what is to be shown, as far as the host's budget goes; any thread.

        Args:
            message: output, a log record, a display or progress.
            call: what it belongs to; None where it belongs to no call.
        """
        number, is_taken = (0, True) if call is None else (call.number, call.box.empty())
        take: Callable[[Any], None] = self.on_unclaimed if call is None else call.box.put
        for admitted in self.gate.admit(message, number, is_taken=is_taken):
            take(admitted)

    def _route(self, message: Any) -> None:
        call = self._pending.get(getattr(message, "call", 0))
        kind = type(message)
        if kind in SHOWN:
            if call is not None and not call.answered:
                if kind is Progress:
                    self._count(call, message)
                self.take_in(message, call)
            else:
                # A thread that outlives its call may still speak in its name: nobody listens there.
                self.take_in(message, None)
        elif call is not None and not call.answered:
            if kind is Stopping:
                call.told()
                return
            if kind in _ANSWERS:
                self._answered(call)
            else:
                self._count(call, message)
            call.box.put(message)
        elif isinstance(message, Hello | Refused):
            self._greetings.put(message)
        elif kind is Stopping or kind in _ANSWERS:
            self._route_to_left(message)
        else:
            self.on_unclaimed(message)

    def _route_to_left(self, message: Any) -> None:
        left = self._left.get(message.call)
        if left is None:
            return  # it was of no call that there is, or told twice
        if type(message) is Stopping:
            left.told()
        else:
            left.answered = True
            self._left.pop(message.call, None)

    def _answered(self, call: PendingCall) -> None:
        call.answered = True
        if self.gate.accounts:
            for note in self.gate.settle(call.number):
                call.box.put(note)

    def _count(self, call: PendingCall, message: Any) -> None:
        """End a host that sends more than anybody asked for: it would fill our memory."""
        if type(message) is Item:
            call.credit -= 1
            if call.credit < 0:
                self.end("it sent more items of a stream than it was asked for")
            return
        if call.box.qsize() > _MOST_QUEUED:
            self.end(f"it sent {_MOST_QUEUED:,} messages about a call that nobody took")
        if type(message) is Request:
            if call.requested > _MOST_REQUESTED and not call.box.empty():
                self.end("it made requests of many megabytes that nobody was there to take")
            call.requested = size_of(message.params) + (call.requested if call.box.qsize() else 0)
