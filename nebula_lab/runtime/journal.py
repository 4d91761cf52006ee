"""Takes what plugins print, display and log to whoever is to see it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from nebula_lab.model.events import LogWritten, OutputWritten, ProgressMade
from nebula_lab.runtime.dispatcher import Dispatcher
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.record import PluginRecord
from nebula_lab.wire.messages import Log, Output, Progress

STREAMS = ("stdout", "stderr")
# Characters of an event: as many as ten thousand may wait for a slow subscriber.
_TEXT_LENGTH = 64 * 1024


class Journal:
    """Keeps the log of each plugin, feeds the event stream, and shows calls their output.

    Args:
        record_of: the record of a plugin.
        dispatcher: the event stream.
    """

    def __init__(self, record_of: Callable[[str], PluginRecord], dispatcher: Dispatcher) -> None:
        self._record_of = record_of
        self._dispatcher = dispatcher

    def output(self, invocation: Invocation, message: Output) -> None:
        stream = message.stream if message.stream in STREAMS else STREAMS[0]
        self._keep_output(invocation.plugin_id, stream, message.text, invocation.operation)
        invocation.sink.write(stream, message.text)

    def display(self, invocation: Invocation, action: str, bundle: dict[str, Any]) -> None:
        invocation.sink.display(action, bundle)

    def log(self, invocation: Invocation, message: Log) -> None:
        self._keep_log(invocation.plugin_id, message)
        invocation.sink.log(message.level, message.logger, message.message)

    def progress(self, invocation: Invocation, message: Progress) -> None:
        invocation.sink.progress(invocation.label, message.done, message.total, message.text)
        if self._dispatcher.has_subscribers:
            self._dispatcher.emit(
                ProgressMade(
                    invocation.plugin_id,
                    datetime.now(UTC),
                    invocation.operation,
                    message.done,
                    message.total,
                    message.text[:_TEXT_LENGTH],
                )
            )

    def background(self, plugin_id: str, message: Any) -> None:
        """What belongs to no call, from a thread that outlived its call, say."""
        if isinstance(message, Output):
            stream = message.stream if message.stream in STREAMS else STREAMS[0]
            self._keep_output(plugin_id, stream, message.text, "")
        elif isinstance(message, Log):
            self._keep_log(plugin_id, message)

    def _keep_output(self, plugin_id: str, stream: str, text: str, operation: str) -> None:
        self._record_of(plugin_id).note(stream, text)
        if self._dispatcher.has_subscribers:
            self._dispatcher.emit(
                OutputWritten(plugin_id, datetime.now(UTC), stream, text[:_TEXT_LENGTH], operation)
            )

    def _keep_log(self, plugin_id: str, message: Log) -> None:
        level = min(max(message.level, 0), 100)
        text = message.message[:_TEXT_LENGTH]
        self._record_of(plugin_id).note("log", text, level)
        logging.getLogger(f"nebula_lab.plugin.{plugin_id}").log(level, "%s", text)
        if self._dispatcher.has_subscribers:
            self._dispatcher.emit(
                LogWritten(plugin_id, datetime.now(UTC), level, message.logger[:_TEXT_LENGTH], text)
            )
