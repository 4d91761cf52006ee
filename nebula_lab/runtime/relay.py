"""Passes on what comes from a call besides its answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.listener import Listener
from nebula_lab.sandbox.base import Host
from nebula_lab.wire.errors import RemoteProtocolError
from nebula_lab.wire.messages import Display, Log, Output, Progress, Request
from nebula_lab.wire.values import decode_value

LAST_LINES = 20
_LINE_LENGTH = 4_000


class Relay:
    """Between one call and who listens to it.

    Attributes:
        complaints: the last lines that the call wrote to stderr.
    """

    def __init__(self, invocation: Invocation, host: Host, listener: Listener) -> None:
        self._invocation = invocation
        self._host = host
        self._listener = listener
        self.complaints: deque[str] = deque(maxlen=LAST_LINES)

    def take(self, message: Any) -> None:
        """Pass a message on.

        Raises:
            RemoteProtocolError: it is none that comes during a call, or makes no sense.
            LibraryMissingError: it has values of a package that is not installed here.
            MemoryError: there is no memory for what it has.
        """
        take = _TAKERS.get(type(message))
        if take is None:
            raise RemoteProtocolError(f"a {type(message).__name__} in the middle of a call")
        take(self, message)

    def _take_output(self, message: Output) -> None:
        if message.stream == "stderr":
            self.complaints.extend(line[:_LINE_LENGTH] for line in message.text.splitlines())
        self._listener.output(self._invocation, message)

    def _take_display(self, message: Display) -> None:
        bundle = decode_value(message.bundle, "result")
        if not isinstance(bundle, dict):
            raise RemoteProtocolError("a display that is none")
        self._listener.display(self._invocation, message.action, bundle)

    def _take_log(self, message: Log) -> None:
        self._listener.log(self._invocation, message)

    def _take_progress(self, message: Progress) -> None:
        self._listener.progress(self._invocation, message)

    def _take_request(self, message: Request) -> None:
        self._listener.request(self._invocation, self._host, message)


_TAKERS: dict[type, Callable[[Relay, Any], None]] = {
    Output: Relay._take_output,
    Display: Relay._take_display,
    Log: Relay._take_log,
    Progress: Relay._take_progress,
    Request: Relay._take_request,
}
