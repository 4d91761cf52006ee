"""Shows in a terminal what plugins print, display and log."""

from __future__ import annotations

import logging
import sys
from typing import Any

from nebula_lab.cli.progress import ProgressDisplay
from nebula_lab.runtime.output import SHOWN_LEVEL
from nebula_lab.views.safe_text import line, prose, stream_text


class TerminalSink:
    """An `OutputSink` that leaves standard output to results: all it shows goes to standard error.

    Args:
        progress: shows how far calls have come.
    """

    def __init__(self, progress: ProgressDisplay) -> None:
        self._progress = progress

    def write(self, stream: str, text: str) -> None:
        sys.stderr.write(stream_text(text, colours=False))
        sys.stderr.flush()

    def display(self, action: str, bundle: dict[str, Any]) -> None:
        text = bundle["data"].get("text/plain")
        if text:
            self.write("stderr", f"{prose(text)}\n")

    def log(self, level: int, logger: str, message: str) -> None:
        if level >= SHOWN_LEVEL:
            name = logging.getLevelName(level)
            self.write("stderr", f"{name} {line(logger)}: {line(message, 2_000)}\n")

    def progress(self, label: str, done: float, total: float | None, text: str) -> None:
        self._progress.report(label, done, total, text)
