"""What others see of a process that was forked and never replaced its image.

Its arguments and its environment, as /proc shows them, lie in memory that the kernel filled when
the image was started, and a fork keeps its parent's. So they are written over in place. The sweep
finds what a plugin left behind by a mark in that environment, and `ps` shows whose process it is.
"""

from __future__ import annotations

import contextlib
import ctypes
from pathlib import Path

# In the environment of every host, and so of whatever it starts.
MARK = "NEBULA_LAB_HOST"
# Longer than any mark: there must be room for one when it is written in the place of another.
MARK_LENGTH = 96
_NAME_LENGTH = 15
# Fields of /proc/PID/stat, counted from the one after the name; see proc_pid_stat(5).
_ARGUMENTS = slice(45, 47)
_VARIABLES = slice(47, 49)


def padded(mark: str) -> str:
    """A mark that leaves room for any other.

    Raises:
        ValueError: it is too long itself.
    """
    if len(mark) > MARK_LENGTH:
        raise ValueError(f"a mark of {len(mark)} characters; {MARK_LENGTH} are the most")
    return mark.ljust(MARK_LENGTH, "_")


def set_mark(mark: str) -> None:
    """Put this process's mark in the place of the padded one that its image was started with.

    Raises:
        RuntimeError: it was started without one.
    """
    start, end = _block(_VARIABLES)
    block = ctypes.string_at(start, end - start)
    at = (b"\0" + block).find(f"\0{MARK}=".encode())
    if at < 0:
        raise RuntimeError(f"this process was started without {MARK}")
    at += len(MARK) + 1
    ctypes.memmove(start + at, mark.encode().ljust(MARK_LENGTH, b"\0"), MARK_LENGTH)


def set_title(name: str) -> None:
    """Show `nebula_lab` and a name in lists of processes, cut to the room that there is."""
    start, end = _block(_ARGUMENTS)
    room = end - start
    text = f"nebula_lab {name}".encode()[: room - 1]
    ctypes.memmove(start, text.ljust(room, b"\0"), room)
    with contextlib.suppress(OSError):  # its /proc can't be written to where it is confined
        Path("/proc/self/comm").write_bytes(text[:_NAME_LENGTH])


def _block(fields: slice) -> tuple[int, int]:
    stat = Path("/proc/self/stat").read_bytes()
    start, end = stat[stat.rindex(b")") + 2 :].split()[fields]
    return int(start), int(end)
