"""How forked kernels end: their parent is the zygote, so it is the zygote that can tell."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from nebula_lab.sandbox import pidfds
from nebula_lab.sandbox.kernel_process import TakeStatus
from nebula_lab.sandbox.zygote_socket import ZygoteError
from nebula_lab.transport.loop import LoopThread

# Seconds for word of an exit that the pidfd has shown already, and between two looks.
_PATIENCE = 1.0
_LOOKING = 0.01


class ForkedExits:
    """Brings together what a zygote tells of its children's ends and who wants to know.

    Everything happens on the loop's thread.

    Args:
        loop: looks again later.
        reap: lets the zygote give up a child.
        on_silence: called when the zygote does not tell of an end.
    """

    def __init__(
        self, loop: LoopThread, reap: Callable[[int], object], on_silence: Callable[[], object]
    ) -> None:
        self._loop = loop
        self._reap = reap
        self._on_silence = on_silence
        self._alive: set[int] = set()
        self._told: dict[int, int] = {}
        self._asking: dict[int, tuple[int, TakeStatus]] = {}
        self._is_orphaned = False

    def born(self, number: int) -> None:
        self._alive.add(number)

    @property
    def any_alive(self) -> bool:
        return bool(self._alive)

    def told(self, number: int, status: int) -> None:
        """The zygote has told of an end.

        Raises:
            ZygoteError: of a child that it does not have.
        """
        if number not in self._alive or number in self._told:
            raise ZygoteError("it told of the end of a kernel that is not there")
        self._told[number] = status
        if number in self._asking:
            _, take = self._asking.pop(number)
            self._finish(number, take)

    def collect(self, number: int, pidfd: int, take: TakeStatus) -> None:
        """Find out how a kernel ended that has exited."""
        if number in self._told:
            self._finish(number, take)
        elif self._is_orphaned:
            self._look(pidfd, take, time.monotonic() + _PATIENCE)
        else:
            self._asking[number] = pidfd, take
            self._loop.call_later(_PATIENCE, self._check, number)

    def _check(self, number: int) -> None:
        if number in self._asking:
            self._on_silence()

    def _finish(self, number: int, take: TakeStatus) -> None:
        self._alive.discard(number)
        status = self._told.pop(number)
        self._reap(number)
        take(status)

    def orphan(self) -> None:
        """There is no zygote any more: the system waits for its children, and may know."""
        self._is_orphaned = True
        asking, self._asking = self._asking, {}
        for pidfd, take in asking.values():
            self._look(pidfd, take, time.monotonic() + _PATIENCE)

    def _look(self, pidfd: int, take: TakeStatus, deadline: float) -> None:
        status = pidfds.exit_status(pidfd)
        if status is None and time.monotonic() < deadline:
            self._loop.call_later(_LOOKING, partial(self._look, pidfd, take, deadline))
        else:
            take(status)
