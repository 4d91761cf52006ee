"""How far operations have come, on a terminal and where there is none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

_STEP = 0.25  # of the whole, between two lines about one call


class ProgressDisplay(Protocol):
    """Shows progress until it is closed; it can be used again after that. Any thread may call."""

    def report(self, label: str, done: float, total: float | None, text: str) -> None:
        """One call's progress; `label` is `plugin.operation`."""

    def close(self) -> None:
        """Take away what moves."""


class NoProgress:
    """For programs that read the output."""

    def report(self, label: str, done: float, total: float | None, text: str) -> None:
        """Nobody is looking."""

    def close(self) -> None:
        """Nothing is shown."""


class ProgressLines:
    """A line for each quarter of a call, where bars can't move.

    Args:
        show: is given each line.
    """

    def __init__(self, show: Callable[[str], object]) -> None:
        self._show = show
        self._next: dict[str, float] = {}
        self._lock = threading.Lock()

    def report(self, label: str, done: float, total: float | None, text: str) -> None:
        from nebula_lab.views.safe_text import line

        if not total or not self._is_due(label, done / total):
            return
        self._show(f"{line(label)}: {done:g} of {total:g} {line(text, 60)}".rstrip())

    def _is_due(self, label: str, part: float) -> bool:
        with self._lock:
            if part < self._next.get(label, _STEP):
                return False
            # The next call of the same operation begins anew.
            self._next[label] = _STEP if part >= 1 else (part // _STEP + 1) * _STEP
            return True

    def close(self) -> None:
        self._next.clear()


class ProgressBars:
    """Bars that move, below what is printed meanwhile.

    Args:
        console: the terminal.
        redirect_stdout: standard output is this terminal too, and goes above the bars.
    """

    def __init__(self, console: Console, *, redirect_stdout: bool) -> None:
        self._console = console
        self._redirect_stdout = redirect_stdout
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def report(self, label: str, done: float, total: float | None, text: str) -> None:
        from nebula_lab.views.safe_text import line

        with self._lock:
            bars = self._bars = self._bars or self._start()
            if label not in self._tasks:
                self._tasks[label] = bars.add_task(line(label), total=total, text="")
            shown = line(text, 40)
            bars.update(self._tasks[label], completed=done, total=total, text=shown)
            if total is not None and done >= total:
                bars.remove_task(self._tasks.pop(label))

    def _start(self) -> Progress:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        bars = Progress(
            # What a plugin writes is no markup of ours.
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}", markup=False),
            console=self._console,
            transient=True,
            redirect_stdout=self._redirect_stdout,
        )
        bars.start()
        return bars

    def close(self) -> None:
        with self._lock:
            if self._bars is not None:
                self._bars.stop()
            self._bars = None
            self._tasks.clear()


def progress_on_stderr() -> ProgressDisplay:
    """Bars if a person looks at standard error, else nothing."""
    import sys

    if not sys.stderr.isatty():
        return NoProgress()
    from rich.console import Console

    return ProgressBars(Console(stderr=True), redirect_stdout=False)
