"""A call as the agent sees it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from queue import SimpleQueue
from threading import Lock
from typing import Any

from nebula_lab.wire.messages import Cancel, Credit, Message, Output

# What runs in this context, threads that it started included; None outside of any call.
current_job: ContextVar[Job | None] = ContextVar("nebula_lab_current_job", default=None)

_FLUSH_AT = 4096


class JobCancelledError(BaseException):
    """The manager withdrew the call. Like KeyboardInterrupt, it is not an `Exception`, so that a
    plugin's `except Exception` does not swallow it."""


class EscapedError(BaseException):
    """A coroutine raised KeyboardInterrupt or SystemExit, its cause; no task may raise those."""


class Job:
    """One call: what it printed and has not sent yet, and what arrives for it.

    Args:
        call: the manager's number for it.
        credit: how many items a stream may send before it must wait.
    """

    # Most calls give no stream, print nothing and are never cancelled: these stand for them all.
    used = 0
    cancelled = False
    is_noted = False  # it has been said that it is being stopped
    interrupted = False
    begun = False
    told = False  # its caller knows that it was withdrawn before it began
    ended = False
    operation = ""  # the name of the operation that it runs, if it runs one
    # Where the call runs as a task, these wake its event loop; from any thread.
    on_cancel: Callable[[], object] | None = None
    on_credit: Callable[[], object] | None = None
    _stream = "stdout"
    _printed: list[str] | None = None
    _printed_size = 0

    def __init__(self, call: int, credit: int = 0) -> None:
        self.call = call
        # Two counters, each written by one thread only: the reader's and the stream's.
        self.granted = credit
        self.box: SimpleQueue[Any] = SimpleQueue()
        self._printing = Lock()

    @property
    def credit(self) -> int:
        """How many more items the caller is ready for."""
        return self.granted - self.used

    @property
    def label(self) -> int:
        """The number to send output under: 0 once the call has been answered."""
        return 0 if self.ended else self.call

    def receive(self, message: Cancel | Credit) -> None:
        """Take in a message about this call; any thread."""
        if isinstance(message, Cancel):
            self.cancelled = True
            wake = self.on_cancel
        else:
            self.granted += message.items
            wake = self.on_credit
        self.box.put(message)
        if wake is not None:
            wake()

    def is_to_stop(self) -> bool:
        """Whether what runs on the main thread is to be interrupted now; True only once."""
        if not self.cancelled or self.interrupted:
            return False
        self.interrupted = True
        return True

    def printed(self, stream: str, text: str) -> list[Message]:
        """Note that the call wrote `text`; gives what is to be sent now."""
        ready: list[Message] = []
        with self._printing:
            if stream != self._stream:
                ready += self._take()
                self._stream = stream
            if self._printed is None:
                self._printed = []
            self._printed.append(text)
            self._printed_size += len(text)
            if "\n" in text or "\r" in text or self._printed_size >= _FLUSH_AT:
                ready += self._take()
        return ready

    def flushed(self) -> list[Message]:
        """What was written and is still to be sent."""
        if not self._printed:
            return []
        with self._printing:
            return self._take()

    def _take(self) -> list[Message]:
        if not self._printed:
            return []
        text = "".join(self._printed)
        self._printed = None
        self._printed_size = 0
        return [Output(self.label, self._stream, text)]
