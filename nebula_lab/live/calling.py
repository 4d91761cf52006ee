"""Calls an operation for a front end, and keeps what it printed beside what it returned."""

from __future__ import annotations

import base64
import logging
import time
from typing import Any

from nebula_lab.errors import InvalidParamsError
from nebula_lab.live.messages import Call, CallResult
from nebula_lab.live.shown_value import shown
from nebula_lab.manager import PluginManager
from nebula_lab.plugin.shorten import short_repr
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.output import SHOWN_LEVEL
from nebula_lab.runtime.stream import Stream
from nebula_lab.views.safe_text import prose, stream_text

OUTPUT_LIMIT = 50_000  # characters
MOST_ITEMS = 200  # of a stream


class KeptOutput:
    """An `OutputSink` that keeps the start of what a call prints, as text."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0

    @property
    def text(self) -> str:
        """What was printed; a line says where the rest is missing."""
        more = f"\n… {self._length - OUTPUT_LIMIT:,} characters more"
        return "".join(self._pieces) + more * (self._length > OUTPUT_LIMIT)

    def write(self, stream: str, text: str) -> None:
        clean = stream_text(text, colours=False)
        room = OUTPUT_LIMIT - self._length
        self._length += len(clean)
        if room > 0:
            self._pieces.append(clean[:room])

    def display(self, action: str, bundle: dict[str, Any]) -> None:
        text = bundle["data"].get("text/plain")
        if text and action == "display":
            self.write("stdout", f"{text}\n")

    def log(self, level: int, logger: str, message: str) -> None:
        if level >= SHOWN_LEVEL:
            self.write("stderr", f"{logging.getLevelName(level)} {message}\n")

    def progress(self, label: str, done: float, total: float | None, text: str) -> None:
        """The row of a plugin that is called has its own signs of life."""


def begin(manager: PluginManager, request: Call) -> tuple[Invocation, KeptOutput]:
    """The call, which can be cancelled from now on, and where its output will be.

    Raises:
        ValueError: its time-out is none.
    """
    invocation = manager.begin(request.plugin, request.operation, request.timeout)
    kept = KeptOutput()
    invocation.sink = kept
    return invocation, kept


def finish(
    manager: PluginManager, request: Call, invocation: Invocation, kept: KeptOutput
) -> CallResult:
    """Run the call.

    Raises:
        PluginError: it failed.
    """
    params = _with_bytes(manager, request)
    started = time.monotonic()
    result = manager.execute_invocation(invocation, params)
    if isinstance(result, Stream):
        result = _first_items(result, kept)
    text, language = shown(result)
    return CallResult(
        text, language, prose(kept.text, 2 * OUTPUT_LIMIT), time.monotonic() - started
    )


def _with_bytes(manager: PluginManager, request: Call) -> dict[str, Any]:
    """The params, with what the schema calls bytes read from base64, since JSON has none."""
    known = manager.operations(request.plugin).get(request.operation)
    schemas = {} if known is None else known.params.properties
    return {
        name: _bytes(request, name, value)
        if schemas.get(name, {}).get("format") == "bytes"
        else value
        for name, value in request.params.items()
    }


def _bytes(request: Call, name: str, value: Any) -> Any:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else value
    except ValueError as error:
        raise InvalidParamsError(
            plugin_id=request.plugin,
            operation=request.operation,
            element=f"params.{name}",
            expected="bytes in base64",
            found=short_repr(value),
        ) from error


def _first_items(stream: Stream, kept: KeptOutput) -> list[Any]:
    """As many items as are shown; then the operation is stopped."""
    items: list[Any] = []
    with stream:
        for item in stream:
            items.append(item)
            if len(items) == MOST_ITEMS:
                kept.write("stderr", f"Stopped after {MOST_ITEMS} items.\n")
                break
    return items
