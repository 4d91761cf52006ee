"""Takes what plugins print, display and log to whoever is to see it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from nebula_lab.model import PluginCapability, SecurityConfig
from nebula_lab.model.events import LogWritten, OutputWritten, ProgressMade
from nebula_lab.model.granted_rights import rights_of
from nebula_lab.plugin.safe_text import line, prose, stream_text
from nebula_lab.runtime.call_displays import CallDisplays
from nebula_lab.runtime.dispatcher import Dispatcher
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.output import SHOWN_LEVEL
from nebula_lab.runtime.record import PluginRecord
from nebula_lab.wire.messages import Log, Output, Progress

STREAMS = ("stdout", "stderr")
# Characters of an event: as many as ten thousand may wait for a slow subscriber.
_TEXT_LENGTH = 64 * 1024
# Characters under one call, which may run for days: a notebook's file holds them all, and a browser
# gets slow long before.
MOST_SHOWN = 20_000_000
_TOO_MUCH = (
    "\n… what it writes from here on is left out (a call may show 20 MB); its log goes on: "
    "%plugin logs\n"
)


class Journal:
    """Keeps the log of each plugin, feeds the event stream, and shows calls their output.

    Args:
        record_of: the record of a plugin.
        dispatcher: the event stream.
        security: says, with what a plugin asks for, what it may display.
    """

    def __init__(
        self,
        record_of: Callable[[str], PluginRecord],
        dispatcher: Dispatcher,
        security: SecurityConfig,
    ) -> None:
        self._record_of = record_of
        self._security = security
        self._dispatcher = dispatcher

    def output(self, invocation: Invocation, message: Output) -> None:
        stream = message.stream if message.stream in STREAMS else STREAMS[0]
        self._keep_output(invocation.plugin_id, stream, message.text, invocation.operation)
        if self._may_show(invocation, len(message.text)):
            for step, shown in invocation.displays.before_text() if invocation.displays else ():
                invocation.sink.display(step, shown)
            invocation.sink.write(stream, stream_text(message.text))

    def display(self, invocation: Invocation, action: str, bundle: dict[str, Any]) -> None:
        displays = invocation.displays
        if displays is None:
            displays = invocation.displays = CallDisplays(
                invocation.plugin_id, self._shows_richly(invocation.plugin_id)
            )
        for step, shown in displays.take(action, bundle):
            invocation.sink.display(step, shown)

    def log(self, invocation: Invocation, message: Log) -> None:
        self._keep_log(invocation.plugin_id, message)
        if message.level < SHOWN_LEVEL or self._may_show(invocation, len(message.message)):
            invocation.sink.log(_level(message), prose(message.logger), prose(message.message))

    def _may_show(self, invocation: Invocation, size: int) -> bool:
        """Whether so much more may be shown under the call; at the limit, say so."""
        before = invocation.shown
        invocation.shown = before + size
        if invocation.shown <= MOST_SHOWN:
            return True
        if before <= MOST_SHOWN:
            invocation.sink.write("stderr", _TOO_MUCH)
        return False

    def progress(self, invocation: Invocation, message: Progress) -> None:
        text = line(message.text)
        invocation.sink.progress(invocation.label, message.done, message.total, text)
        if self._dispatcher.wants(ProgressMade):
            self._dispatcher.emit(
                ProgressMade(
                    invocation.plugin_id,
                    datetime.now(UTC),
                    invocation.operation,
                    message.done,
                    message.total,
                    text,
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
        clean = stream_text(text, colours=False)
        self._record_of(plugin_id).log.add(stream, clean)
        if self._dispatcher.wants(OutputWritten):
            now = datetime.now(UTC)
            shown = clean[:_TEXT_LENGTH]
            self._dispatcher.emit(OutputWritten(plugin_id, now, stream, shown, operation))

    def _keep_log(self, plugin_id: str, message: Log) -> None:
        level, text = _level(message), prose(message.message, _TEXT_LENGTH)
        self._record_of(plugin_id).log.add("log", text, level)
        # Indented, so that no line of it looks like a record of somebody else's.
        record = text.replace("\n", "\n    ")
        logging.getLogger(f"nebula_lab.plugin.{plugin_id}").log(level, "%s", record)
        if self._dispatcher.wants(LogWritten):
            now = datetime.now(UTC)
            self._dispatcher.emit(LogWritten(plugin_id, now, level, line(message.logger), text))

    def _shows_richly(self, plugin_id: str) -> bool:
        rights = rights_of(self._record_of(plugin_id).descriptor, self._security)
        return rights.has(PluginCapability.RICH_DISPLAY)


def _level(message: Log) -> int:
    return min(max(message.level, 0), 100)
