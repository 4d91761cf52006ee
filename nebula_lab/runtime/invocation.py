"""A call as the manager sees it: who calls what, on whose behalf, until when."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from nebula_lab.runtime.output import OutputSink


class Invocation:
    """One call, from `execute` until its result.

    Args:
        plugin_id, operation: what is called.
        timeout: seconds from now.
        sink: shows what the call prints.
        parent: the call whose plugin made this one by `context.call`.

    Attributes:
        cancelled: nobody wants it any more; `reason` says why.
        is_stream: it gives its results one by one, at the pace of whoever takes them.
    """

    __slots__ = (
        "_nested",
        "_on_cancel",
        "_state",
        "cancelled",
        "deadline",
        "is_stream",
        "operation",
        "parent",
        "plugin_id",
        "reason",
        "sink",
        "started",
        "timeout",
    )

    def __init__(
        self,
        plugin_id: str,
        operation: str,
        timeout: float,
        sink: OutputSink,
        parent: Invocation | None = None,
    ) -> None:
        self.plugin_id = plugin_id
        self.operation = operation
        self.sink = sink
        self.parent = parent
        self.started = time.monotonic()
        self.timeout = timeout
        self.deadline = self.started + timeout
        if parent is not None and parent.deadline < self.deadline:
            self.deadline = parent.deadline
        self.cancelled = False
        self.reason = "cancelled"
        self.is_stream = False
        self._nested: set[Invocation] = set()
        self._on_cancel: Callable[[], object] | None = None
        self._state = threading.Lock()

    @property
    def label(self) -> str:
        return f"{self.plugin_id}.{self.operation}"

    @property
    def root(self) -> Invocation:
        """The call that somebody outside made, and that this one is a part of."""
        call = self
        while call.parent is not None:
            call = call.parent
        return call

    def left(self) -> float:
        """Seconds until the deadline, at least 0."""
        return max(0.0, self.deadline - time.monotonic())

    def chain(self) -> list[str]:
        """`plugin.operation` of each call that led here and of this one, outermost first."""
        labels = [call.label for call in self.ancestors()]
        return [*reversed(labels), self.label]

    def ancestors(self) -> Iterator[Invocation]:
        """The calls that wait for this one, innermost first."""
        call = self.parent
        while call is not None:
            yield call
            call = call.parent

    def cancel(self, reason: str = "cancelled") -> None:
        """Stop the call, from any thread: withdrawn while it waits, interrupted while it runs.

        Args:
            reason: what its caller is told.
        """
        with self._state:
            self.cancelled, self.reason = True, reason
            stop, nested = self._on_cancel, tuple(self._nested)
        for call in nested:
            call.cancel(reason)
        if stop is not None:
            stop()

    @contextlib.contextmanager
    def waiting_for(self, nested: Invocation) -> Iterator[None]:
        """While this call waits for one that its plugin made, cancelling this cancels that."""
        with self._state:
            self._nested.add(nested)
            late = self.cancelled
        if late:
            nested.cancel()
        try:
            yield
        finally:
            with self._state:
                self._nested.discard(nested)

    def stop_by(self, stop: Callable[[], Any] | None) -> None:
        """How `cancel` is to stop what the call does now."""
        with self._state:
            self._on_cancel = stop
            late = self.cancelled and stop is not None
        if late and stop is not None:
            stop()
