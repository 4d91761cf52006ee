"""How many files a host may watch: the kernel counts these for each user, and all share them.

A user may have 128 instances of inotify as a rule. Who takes them all keeps every other program of
the user's from watching anything, the manager too. A user namespace can have fewer of its own.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from nebula_lab.confine import system

_MOST = {"max_inotify_instances": 8, "max_inotify_watches": 8192}
_SETTINGS = Path("/proc/sys/user")
_CLOSE_ON_EXEC = os.O_CLOEXEC


def limit() -> None:
    """Let processes in this user namespace, which is new, watch some things.

    Where the system lets nobody change that, as in most containers, they can watch as much as
    anybody: see `is_limited`.
    """
    with contextlib.suppress(OSError):
        for name, most in _MOST.items():
            (_SETTINGS / name).write_bytes(str(most).encode())


def is_limited() -> bool:
    """Whether this process can watch no more than that, found by trying.

    One that gets fewer meets another limit: its user's, or that of descriptors.
    """
    taken: list[int] = []
    try:
        for _ in range(_MOST["max_inotify_instances"] + 1):
            taken.append(system.libc("inotify_init1", _CLOSE_ON_EXEC))  # noqa: PERF401
    except OSError as error:
        return error.errno == errno.EMFILE and len(taken) == _MOST["max_inotify_instances"]
    finally:
        for descriptor in taken:
            os.close(descriptor)
    return False
