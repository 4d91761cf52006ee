"""Which processes were started after a moment.

The system tells the start of a process in hundredths of a second. Within one of them its number
tells: numbers are given out in order, and the last that was given can be read.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from nebula_lab.sandbox import pidfds

_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")  # nanoseconds
_LAST = 4  # field of /proc/loadavg


@dataclass(frozen=True)
class Moment:
    """A moment.

    Attributes:
        ticks: since the machine was started.
        last_pid: that had been given to a process or thread then; None where it can't be known.
    """

    ticks: int
    last_pid: int | None

    @classmethod
    def now(cls) -> Moment:
        return cls(time.clock_gettime_ns(time.CLOCK_BOOTTIME) // _TICK, _last_pid())

    def is_before(self, pid: int) -> bool:
        """Whether a process was started after this; not so where it can't be known.

        Raises:
            OSError: there is no such process.
        """
        start = pidfds.started_at(pid)
        if start != self.ticks or self.last_pid is None:
            return start > self.ticks
        most = _most_pids()
        return 0 < (pid - self.last_pid) % most < most // 2  # they begin anew at the end


def _last_pid() -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/loadavg").read_bytes().split()[_LAST])
    return None


def _most_pids() -> int:
    with contextlib.suppress(OSError, ValueError):
        return int(Path("/proc/sys/kernel/pid_max").read_bytes())
    return 2**22
