"""Ends what hosts left behind, for many hosts at a time."""

from __future__ import annotations

import time
from collections.abc import Callable

from nebula_lab.sandbox.leftovers import kill_marked
from nebula_lab.transport.loop import LoopThread

# Seconds for what was killed to be gone, and between two looks.
_PATIENCE = 0.3
_LOOKING = 0.01


class Sweep:
    """Looks through the system's processes once for all hosts that have ended meanwhile.

    A look takes some 20 ms where there are hundreds of processes, and hosts end by the hundred
    when a manager is closed. Everything happens on the loop's thread.

    Args:
        loop: does it.
    """

    def __init__(self, loop: LoopThread) -> None:
        self._loop = loop
        self._waiting: list[tuple[str, Callable[[], object]]] = []

    def after(self, mark: str, then: Callable[[], object]) -> None:
        """Kill what carries a mark, soon, and go on with `then`."""
        if not self._waiting:
            self._loop.call(self._run)
        self._waiting.append((mark, then))

    def _run(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._look(waiting, time.monotonic() + _PATIENCE)

    def _look(self, waiting: list[tuple[str, Callable[[], object]]], deadline: float) -> None:
        is_unsettled = kill_marked(*(mark for mark, _ in waiting))
        if is_unsettled and time.monotonic() < deadline:
            self._loop.call_later(_LOOKING, self._look, waiting, deadline)
            return
        for _, then in waiting:
            then()
