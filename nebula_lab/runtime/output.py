"""Where a plugin's output goes, once it is fit to be seen: see `journal`."""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from typing import Any, Protocol

from nebula_lab.plugin.safe_text import stream_text

# Whether nobody waits for what is being done, so that what a plugin prints meanwhile is not shown.
# It goes with the context into the threads that are started for it.
unattended: ContextVar[bool] = ContextVar("nebula_lab_unattended", default=False)
# Records of this level and above are shown to the caller; all of them go to the logger.
SHOWN_LEVEL = logging.WARNING


class OutputSink(Protocol):
    """Shows what a call prints, displays and logs. It is called in the caller's thread."""

    def write(self, stream: str, text: str) -> None:
        """Text for `stdout` or `stderr`; of escape sequences it may have colours."""

    def display(self, action: str, bundle: dict[str, Any]) -> None:
        """A display: `action` is display, or update for one that takes the place of another.

        The bundle has `data` and `metadata` by MIME type, of types that the plugin may show, and
        `transient` with a `display_id` that names the place.
        """

    def log(self, level: int, logger: str, message: str) -> None:
        """A log record; `level` is as in `logging`."""

    def progress(self, label: str, done: float, total: float | None, text: str) -> None:
        """How far a call has come; `label` is `plugin.operation`."""


class TextSink:
    """Writes to this process's own output; displays as text where they have a text form."""

    def write(self, stream: str, text: str) -> None:
        file = sys.stderr if stream == "stderr" else sys.stdout
        file.write(stream_text(text, colours=False))

    def display(self, action: str, bundle: dict[str, Any]) -> None:
        text = bundle["data"].get("text/plain")
        if text:
            self.write("stdout", f"{text}\n")

    def log(self, level: int, logger: str, message: str) -> None:
        """The logger `nebula_lab.plugin.<id>` has had it: `logging` shows it, or is told not to."""

    def progress(self, label: str, done: float, total: float | None, text: str) -> None:
        """A plain text stream has no place for a bar that moves."""


class QuietSink:
    """Shows nothing: for what a plugin prints while nobody waits for it. The journal has it."""

    def write(self, stream: str, text: str) -> None: ...

    def display(self, action: str, bundle: dict[str, Any]) -> None: ...

    def log(self, level: int, logger: str, message: str) -> None: ...

    def progress(self, label: str, done: float, total: float | None, text: str) -> None: ...
