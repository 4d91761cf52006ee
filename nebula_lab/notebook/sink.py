"""Shows under a cell what the plugins that it calls print, display and log."""

from __future__ import annotations

import logging
import sys
from typing import Any

from IPython.display import publish_display_data

from nebula_lab.notebook.progress import ProgressBoard
from nebula_lab.runtime.output import SHOWN_LEVEL
from nebula_lab.views.safe_text import line, stream_text


class NotebookSink:
    """An `OutputSink` for IPython; it is called in the thread that made the call.

    Args:
        progress: shows the bars.
        colours: let those of plugins through; a terminal gets no escape sequence of theirs.
    """

    def __init__(self, progress: ProgressBoard, *, colours: bool = True) -> None:
        self._progress = progress
        self._colours = colours
        self._last_stream: str | None = None

    def write(self, stream: str, text: str) -> None:
        file, other = sys.stdout, sys.stderr
        if stream == "stderr":
            file, other = other, file
        if self._last_stream not in (stream, None):
            # A kernel buffers the two apart; what was written first is to be seen first.
            other.flush()
        self._last_stream = stream
        file.write(stream_text(text, colours=self._colours))

    def display(self, action: str, bundle: dict[str, Any]) -> None:
        # What is in it, and that its id is no other's, is seen to in `runtime/call_displays.py`.
        data = dict(bundle["data"])
        if not self._colours and "text/plain" in data:
            data["text/plain"] = stream_text(data["text/plain"], colours=False)
        publish_display_data(
            data=data,
            metadata=bundle["metadata"],
            transient=bundle["transient"],
            update=action == "update",
        )

    def log(self, level: int, logger: str, message: str) -> None:
        if level >= SHOWN_LEVEL:
            name = logging.getLevelName(level)
            self.write("stderr", f"{name} {line(logger)}: {line(message, 2_000)}\n")

    def progress(self, label: str, done: float, total: float | None, text: str) -> None:
        self._progress.report(label, done, total, text)
