"""Progress of calls that take long enough for a person to wonder."""

from __future__ import annotations

import html
import math
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

from IPython.display import display
from msgspec import Struct

from nebula_lab.views import Rendered
from nebula_lab.views.safe_text import line

# Shorter calls leave no trace, so that a validated notebook has the same outputs on every run.
PATIENCE = 1.0
INTERVAL = 0.1
BAR_WIDTH = 24


class Screen(Protocol):
    """A place for one bar, which is written over."""

    def show(self, bar: Rendered) -> None:
        """Show the bar in place of what was shown before."""

    def clear(self) -> None:
        """Show nothing any more."""


class CellScreen:
    """One output of a notebook cell, updated in place."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, bar: Rendered) -> None:
        if self._handle is None:
            self._handle = display(bar, display_id=True)
        else:
            self._handle.update(bar)

    def clear(self) -> None:
        self.show(Rendered("", "<span></span>"))


class TerminalScreen:
    """The present line of a terminal."""

    def show(self, bar: Rendered) -> None:
        self._write(f"\r\x1b[2K{bar.text}")

    def clear(self) -> None:
        self._write("\r\x1b[2K")

    def _write(self, text: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(text)
            sys.stderr.flush()


class _Bar(Struct):
    screen: Screen
    started: float
    shown_at: float | None = None


class ProgressBoard:
    """The bars of the calls that run.

    Args:
        new_screen: makes room for one bar.
        clock: seconds that only grow.
    """

    def __init__(
        self, new_screen: Callable[[], Screen], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._new_screen = new_screen
        self._clock = clock
        self._bars: dict[str, _Bar] = {}

    def report(self, label: str, done: float, total: float | None, text: str) -> None:
        """Note how far a call has come; it shows once the call has taken `PATIENCE` seconds."""
        now = self._clock()
        if total is not None and done >= total:
            self._close(label)
            return
        bar = self._bars.setdefault(label, _Bar(self._new_screen(), now))
        waited = now - bar.started if bar.shown_at is None else now - bar.shown_at
        if waited >= (PATIENCE if bar.shown_at is None else INTERVAL):
            bar.screen.show(progress_bar(label, done, total, text))
            bar.shown_at = now

    def finish(self, *_: Any) -> None:
        """Take down what still stands; a call may have ended short of its total."""
        for label in list(self._bars):
            self._close(label)

    def _close(self, label: str) -> None:
        bar = self._bars.pop(label, None)
        if bar is not None and bar.shown_at is not None:
            bar.screen.clear()


def progress_bar(label: str, done: float, total: float | None, text: str) -> Rendered:
    """A bar as text and as an HTML `progress` element."""
    fraction = _fraction(done, total)
    words = " ".join(filter(None, (line(label), _amount(done, total), line(text))))
    if fraction is None:
        return Rendered(words, f"<progress></progress> {html.escape(words)}")
    filled = round(fraction * BAR_WIDTH)
    bar = "█" * filled + "░" * (BAR_WIDTH - filled)
    return Rendered(
        f"{bar} {words}", f'<progress value="{fraction:.4f}"></progress> {html.escape(words)}'
    )


def _fraction(done: float, total: float | None) -> float | None:
    if total is None or not total > 0 or not math.isfinite(total) or not math.isfinite(done):
        return None
    return min(max(done / total, 0.0), 1.0)


def _amount(done: float, total: float | None) -> str:
    return f"{done:g}" if total is None else f"{done:g}/{total:g}"
