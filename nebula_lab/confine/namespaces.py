"""Namespaces that a process may make for itself without privilege; see namespaces(7).

A user namespace comes first: it gives the right to make the others, and nothing outside it.
"""

from __future__ import annotations

import os
from pathlib import Path

from nebula_lab.confine import system

MOUNT = 0x00020000
IPC = 0x08000000
USER = 0x10000000
PID = 0x20000000
NETWORK = 0x40000000


def enter(flags: int) -> None:
    """Move this process, which has one thread, into namespaces of its own.

    Its user and group stay what they are; no other exists in there.

    Raises:
        OSError: this machine does not let it.
    """
    user, group = os.geteuid(), os.getegid()
    system.libc("unshare", USER | flags)
    # The kernel lets an ordinary user map its group only once it can't drop groups any more:
    # dropping one could give access that belonging to it denies.
    _write("setgroups", "deny")
    _write("uid_map", f"{user} {user} 1")
    _write("gid_map", f"{group} {group} 1")


def enter_pid_namespace() -> None:
    """Have this process's children live in a PID namespace of their own.

    Raises:
        OSError: this machine does not let it.
    """
    system.libc("unshare", PID)


def _write(name: str, text: str) -> None:
    Path(f"/proc/self/{name}").write_bytes(text.encode())
