"""A call as the manager sees it: who calls what, on whose behalf, until when."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nebula_lab.errors import PluginError
from nebula_lab.runtime.output import OutputSink

if TYPE_CHECKING:
    from nebula_lab.runtime.call_displays import CallDisplays
    from nebula_lab.runtime.record import PluginRecord

_MOST_FAILED_CALLS = 10


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
        shown: characters that it has printed and logged.
        displays: what it has displayed; None before the first time.
        params: what it was called with, for people; None where there is nothing to tell.
        spares_host: a host that does not stop it is not ended for that before its deadline.
        attempts: how often its host has died under it.
        callee: the record of what is called, where that is not the plugin that serves.
        failed_calls: errors of the calls that its plugin made, by request; the last ones.
        on_cancel: how to stop what the call does now. Who sets it looks at `cancelled` after.
    """

    # Most calls are never cancelled, make no calls and give no stream: these stand for them all.
    cancelled = False
    reason = "cancelled"
    is_stream = False
    spares_host = False
    _nested: set[Invocation] | tuple[()] = ()
    on_cancel: Callable[[], object] | None = None
    attempts = 0
    shown = 0
    params: Mapping[str, Any] | None = None
    callee: PluginRecord | None = None
    displays: CallDisplays | None = None
    failed_calls: Mapping[int, PluginError] = MappingProxyType({})

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
        self.timeout = timeout
        self.deadline = time.monotonic() + timeout
        if parent is not None and parent.deadline < self.deadline:
            self.deadline = parent.deadline

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

    def put_off(self, seconds: float) -> None:
        """Give it more time, and all that wait for it: what was waited for is nobody's doing."""
        for call in (self, *self.ancestors()):
            call.deadline += seconds

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

    def note_failed_call(self, request: int, error: PluginError) -> None:
        """Keep the error of a call that the plugin made: it may be why this one fails."""
        kept = {**self.failed_calls, request: error}
        self.failed_calls = dict(list(kept.items())[-_MOST_FAILED_CALLS:])

    def cancel(self, reason: str = "cancelled") -> None:
        """Stop the call, from any thread: withdrawn while it waits, interrupted while it runs.

        Args:
            reason: what its caller is told.
        """
        # No lock: what there is to stop is noted before `cancelled` is looked at, and looked for
        # after `cancelled` is set, so that at least one of two threads sees the other. To stop a
        # call twice does no more than once.
        self.reason, self.cancelled = reason, True
        stop = self.on_cancel
        for call in tuple(self._nested):
            call.cancel(reason)
        if stop is not None:
            stop()

    @contextlib.contextmanager
    def waiting_for(self, nested: Invocation) -> Iterator[None]:
        """While this call waits for one that its plugin made, cancelling this cancels that."""
        if not isinstance(self._nested, set):
            self._nested = set()
        self._nested.add(nested)
        if self.cancelled:
            nested.cancel(self.reason)
        try:
            yield
        finally:
            self._nested.discard(nested)

    def stop_by(self, stop: Callable[[], Any] | None) -> None:
        """How `cancel` is to stop what the call does now."""
        self.on_cancel = stop
        if self.cancelled and stop is not None:
            stop()
