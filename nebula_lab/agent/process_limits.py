"""What the kernel lets a process have: resource limits, processors and priority."""

from __future__ import annotations

import contextlib
import os
import resource

import msgspec

_RESOURCES = sorted(
    {getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}
)


class ProcessLimits(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Limits that a process hands on to those that it starts.

    Attributes:
        resources: number, soft and hard limit each; see getrlimit(2).
        processors: numbers of those that it may run on.
        nice: from -20 to 19.
    """

    resources: tuple[tuple[int, int, int], ...]
    processors: tuple[int, ...]
    nice: int

    @classmethod
    def now(cls) -> ProcessLimits:
        """Those of this process, and of its main thread where each thread has its own."""
        main = os.getpid()
        return cls(
            tuple((number, *resource.getrlimit(number)) for number in _RESOURCES),
            tuple(sorted(os.sched_getaffinity(main))),
            os.getpriority(os.PRIO_PROCESS, main),
        )

    def apply(self, pid: int = 0) -> None:
        """Give them to a process of one thread, as far as its user may; 0 is this process.

        Only a privileged process can raise a hard limit or lower its niceness; what can't be had
        stays as it was.
        """
        for number, soft, hard in self.resources:
            _limit(pid, number, soft, hard)
        if os.sched_getaffinity(pid) != set(self.processors):
            with contextlib.suppress(OSError):  # they may have been taken from us meanwhile
                os.sched_setaffinity(pid, self.processors)
        if os.getpriority(os.PRIO_PROCESS, pid) != self.nice:
            with contextlib.suppress(PermissionError):
                os.setpriority(os.PRIO_PROCESS, pid, self.nice)


def _limit(pid: int, number: int, soft: int, hard: int) -> None:
    present = resource.prlimit(pid, number)
    if present == (soft, hard):
        return
    try:
        resource.prlimit(pid, number, (soft, hard))
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            resource.prlimit(pid, number, (_lower(soft, present[1]), present[1]))


def _lower(one: int, other: int) -> int:
    return min((one, other), key=lambda limit: (limit == resource.RLIM_INFINITY, limit))
