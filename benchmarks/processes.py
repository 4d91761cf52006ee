"""What processes use, and ending those that a contender has left behind."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import psutil

# Seconds without any use of a processor. Managers rest after a load before they start a spare.
QUIET = 1.0
PATIENCE = 60.0


def total_pss() -> int:
    """Bytes of memory, what is shared being divided among those that share it."""
    return sum(pss(process.pid) for process in family())


def total_dirty() -> int:
    """Bytes of memory that these processes have written; again divided among themselves.

    What they share with processes of others, the code of libraries, is not in it: it would be
    less or more as those come and go.
    """
    return sum(pss(process.pid, "Pss_Dirty:") for process in family())


def descendants_threads() -> int:
    """Threads in all descendants."""
    return sum(_threads(process) for process in family()[1:])


def family() -> list[psutil.Process]:
    """This process, then all that descends from it."""
    me = psutil.Process()
    return [me, *me.children(recursive=True)]


def await_quiet() -> None:
    """Wait until no descendant does anything, as far as can be seen.

    Raises:
        TimeoutError: they go on and on.
    """
    deadline = time.monotonic() + PATIENCE
    used, since = _used(), time.monotonic()
    while time.monotonic() - since < QUIET:
        time.sleep(QUIET / 10)
        if (now := _used()) != used:
            used, since = now, time.monotonic()
        if time.monotonic() > deadline:
            raise TimeoutError(f"descendants were not quiet within {PATIENCE:g} s")


def end_marked(variable: str, value: str) -> None:
    """End what was started with this in its environment, whoever its parent is now."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # it has just ended, or is another user's
            if process.environ().get(variable) == value:
                process.kill()


def _used() -> tuple[tuple[int, float], ...]:
    return tuple((process.pid, _seconds(process)) for process in family()[1:])


def _seconds(process: psutil.Process) -> float:
    """Processor time, to a tenth of a second: an idle kernel polls now and then."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return round(times.user + times.system, 1)


def _threads(process: psutil.Process) -> int:
    try:
        return int(process.num_threads())
    except psutil.NoSuchProcess:
        return 0


def pss(pid: int, heading: str = "Pss:") -> int:
    """Bytes of memory of a process, what it shares being divided; 0 once it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # it has just ended
        return 0
    lines = map(str.split, text.splitlines())
    return sum(int(words[1]) * 1024 for words in lines if words[0] == heading)
