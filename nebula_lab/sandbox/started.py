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


class Moments:
    """Takes note of moments. The file stays open: to open it takes fifty times as long as to read.

    Raises:
        OSError: there are no descriptors left.
    """

    def __init__(self) -> None:
        self._descriptor = -1
        with contextlib.suppress(FileNotFoundError, PermissionError):
            self._descriptor = os.open("/proc/loadavg", os.O_RDONLY | os.O_CLOEXEC)

    def now(self) -> Moment:
        """This moment; any thread."""
        return Moment(time.clock_gettime_ns(time.CLOCK_BOOTTIME) // _TICK, self._last_pid())

    def _last_pid(self) -> int | None:
        with contextlib.suppress(OSError, ValueError, IndexError):
            return int(os.pread(self._descriptor, 200, 0).split()[_LAST])
        return None

    def close(self) -> None:
        """Give the descriptor back. Can be called again."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _most_pids() -> int:
    with contextlib.suppress(OSError, ValueError):
        return int(Path("/proc/sys/kernel/pid_max").read_bytes())
    return 2**22
