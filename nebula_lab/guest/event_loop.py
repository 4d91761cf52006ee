"""An event loop for where there are neither sockets nor threads: timers and callbacks only."""

from __future__ import annotations

import asyncio
from asyncio import base_events
from collections.abc import Callable
from typing import Any


class _Clock:
    """Stands where other loops wait for descriptors."""

    def __init__(self, wait: Callable[[float], None]) -> None:
        self._wait = wait

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("a task waits for what nothing here can bring: there are no threads")
        if timeout > 0:
            self._wait(timeout)
        return []

    def close(self) -> None:
        """There is nothing to let go of."""


class TimerLoop(base_events.BaseEventLoop):
    """Runs tasks and timers on the one thread that there is.

    Args:
        wait: lets seconds pass.
    """

    def __init__(self, wait: Callable[[float], None]) -> None:
        super().__init__()
        self._selector = _Clock(wait)

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody else could wake it."""


def use_everywhere(wait: Callable[[float], None]) -> None:
    """Have `asyncio.run` and the like take such a loop."""

    def new_event_loop() -> TimerLoop:
        return TimerLoop(wait)

    asyncio.events.new_event_loop = asyncio.new_event_loop = new_event_loop
