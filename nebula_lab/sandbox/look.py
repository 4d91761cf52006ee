"""A look at what a host is at: begun before one of its calls is stopped, read when it has been."""

from __future__ import annotations

from collections.abc import Callable

from nebula_lab.reports.stacks import HostStacks


class Look:
    """What a host was at when it was looked at.

    Args:
        read: gives it; called once.
    """

    def __init__(self, read: Callable[[], HostStacks]) -> None:
        self._read = read
        self._stacks: HostStacks | None = None

    def stacks(self) -> HostStacks:
        """What is known by now; the first time it is asked for is what counts. Any thread."""
        if self._stacks is None:
            self._stacks = self._read()
        return self._stacks
