"""What a conversation with a host tells the manager of, besides its result."""

from __future__ import annotations

from typing import Any

from nebula_lab.runtime.invocation import Invocation
from nebula_lab.sandbox.base import Host
from nebula_lab.wire.messages import Log, Output, Progress, Request


class Listener:
    """Hears nothing by itself; see `switchboard`."""

    def output(self, invocation: Invocation, message: Output) -> None:
        """The call wrote to `stdout` or `stderr`."""

    def display(self, invocation: Invocation, action: str, bundle: dict[str, Any]) -> None:
        """The call displayed something."""

    def log(self, invocation: Invocation, message: Log) -> None:
        """The call logged a record."""

    def progress(self, invocation: Invocation, message: Progress) -> None:
        """The call said how far it has come."""

    def request(self, invocation: Invocation, host: Host, message: Request) -> None:
        """The call's plugin calls another; runs it and answers."""

    def host_stuck(self, host: Host, plugin_id: str, reason: str) -> None:
        """The host is to be replaced, and not for anything that its end was to blame for.

        Args:
            host: which.
            plugin_id: of its plugin.
            reason: what it is ended for, as a sentence that other calls in it fail with.
        """

    def host_lost(self, host: Host, plugin_id: str) -> None:
        """The host is gone, or does not make sense any more."""
