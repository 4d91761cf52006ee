"""Shows under a cell what the plugins that it calls print, display and log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any

from IPython.display import clear_output, publish_display_data

from nebula_lab.notebook.progress import ProgressBoard
from nebula_lab.runtime.output import SHOWN_LEVEL
from nebula_lab.views.safe_text import line, stream_text

# A MIME type that is not named here is dropped: above all application/javascript, which would run
# with the rights of the person who looks.
SAFE_TYPES = frozenset(
    {
        "text/plain",
        "text/markdown",
        "text/html",
        "text/latex",
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/svg+xml",
        "application/json",
    }
)
SAFE_PREFIXES = ("application/vnd.", "text/vnd.")
# Keeps a plugin's display ids apart from the user's: it must not update what it did not show.
DISPLAY_ID_PREFIX = "nebula_lab/"


class NotebookSink:
    """An `OutputSink` for IPython; it is called in the thread that made the call.

    Args:
        progress: shows the bars.
    """

    def __init__(self, progress: ProgressBoard) -> None:
        self._progress = progress
        self._last_stream: str | None = None
        self._actions: Mapping[str, Callable[[dict[str, Any]], None]] = {
            "display": lambda bundle: _publish(bundle, update=False),
            "update": lambda bundle: _publish(bundle, update=True),
            "clear": lambda bundle: clear_output(wait=bool(bundle.get("wait"))),
        }

    def write(self, stream: str, text: str) -> None:
        file, other = sys.stdout, sys.stderr
        if stream == "stderr":
            file, other = other, file
        if self._last_stream not in (stream, None):
            # A kernel buffers the two apart; what was written first is to be seen first.
            other.flush()
        self._last_stream = stream
        file.write(stream_text(text))

    def display(self, action: str, bundle: dict[str, Any]) -> None:
        perform = self._actions.get(action)
        if perform is not None:
            perform(bundle)

    def log(self, level: int, logger: str, message: str) -> None:
        if level >= SHOWN_LEVEL:
            name = logging.getLevelName(level)
            self.write("stderr", f"{name} {line(logger)}: {line(message, 2_000)}\n")

    def progress(self, label: str, done: float, total: float | None, text: str) -> None:
        self._progress.report(label, done, total, text)


def safe_data(data: Any) -> dict[str, Any]:
    """The part of a MIME bundle that a front end may show."""
    if not isinstance(data, Mapping):
        return {}
    kept = {mime: value for mime, value in data.items() if _is_safe(mime)}
    plain = kept.get("text/plain")
    if plain is not None:
        kept["text/plain"] = stream_text(str(plain))
    return kept


def _is_safe(mime: Any) -> bool:
    return isinstance(mime, str) and (mime in SAFE_TYPES or mime.startswith(SAFE_PREFIXES))


def _publish(bundle: dict[str, Any], *, update: bool) -> None:
    data = safe_data(bundle.get("data"))
    transient = bundle.get("transient")
    display_id = transient.get("display_id") if isinstance(transient, Mapping) else None
    if not data or (update and display_id is None):
        return
    publish_display_data(
        data=data,
        metadata=_metadata_of(bundle.get("metadata"), data),
        transient={} if display_id is None else {"display_id": f"{DISPLAY_ID_PREFIX}{display_id}"},
        update=update,
    )


def _metadata_of(metadata: Any, data: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of the types that are shown; anything else could steer the front end."""
    if not isinstance(metadata, Mapping):
        return {}
    return {mime: value for mime, value in metadata.items() if mime in data}
