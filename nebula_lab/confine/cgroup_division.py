"""Makes of a delegated control group of version 2 one that others can be made in.

A group either has processes or hands controllers on to groups in it; see «No Internal Process
Constraint» in the kernel's cgroup-v2. So what is in it moves into a group of its own there. That is
done in a delegated group only: in any other systemd takes the controllers away again.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from pathlib import Path

from nebula_lab.confine.cgroup_places import (
    CONTROLLERS,
    HANDED_ON,
    LEAF,
    PROCS,
    is_root,
    may_divide,
    mounts,
    own_groups,
    unified_folder,
)

_SELF = Path("/proc/self")
# Processes may be forked there while others are moved.
_ATTEMPTS = 20
# Of systemd's; from 251 on, and of the system's manager only.
_MARKS = ("user.delegate", "trusted.delegate")
_UNITS = (".scope", ".service")
_ASKING = 5.0  # seconds


def divide(proc: Path = _SELF, controllers: tuple[str, ...] = CONTROLLERS) -> None:
    """See to it that `cgroup_places.find` finds something in version 2.

    Args:
        proc: what the kernel says of this process.
        controllers: those to hand on.

    Raises:
        OSError: it can't be done, and why.
    """
    there = list(mounts(proc))
    folder = unified_folder(there, own_groups(proc))
    if folder is None:
        raise OSError("no control groups of version 2 are to be seen")
    missing = sorted(set(controllers) - set((folder / "cgroup.controllers").read_text().split()))
    if missing:
        raise OSError(f"the control group {folder} has no {', '.join(missing)}")
    if not may_divide(folder) or not os.access(folder / HANDED_ON, os.W_OK):
        raise OSError(f"the control group {folder} can't be written to")
    tops = {Path(mount.point) for mount in there}
    if folder not in tops and not _is_marked(folder) and not _is_delegated(folder):
        raise OSError(f"the control group {folder} is not delegated")
    _hand_on(folder, controllers)


def _is_marked(folder: Path) -> bool:
    for mark in _MARKS:
        with contextlib.suppress(OSError):
            if os.getxattr(folder, mark) == b"1":
                return True
    return False


def _is_delegated(folder: Path) -> bool:
    """Ask the systemd whose unit it is; a user's leaves no mark."""
    if folder.suffix not in _UNITS:
        return False
    users = any(part.startswith("user@") for part in folder.parts)
    command = ["systemctl", *(["--user"] if users else []), "show", "--value"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        answer = subprocess.run(
            [*command, "--property=Delegate", "--", folder.name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ASKING,
            check=True,
        )
        return answer.stdout.strip() == b"yes"
    return False


def _hand_on(folder: Path, controllers: tuple[str, ...]) -> None:
    wanted = " ".join(f"+{name}" for name in controllers)
    for attempt in range(_ATTEMPTS):
        if not is_root(folder):
            _empty(folder)
        try:
            (folder / HANDED_ON).write_text(wanted)
        except OSError as error:
            if error.errno != errno.EBUSY or attempt + 1 == _ATTEMPTS:
                raise
        else:
            return


def _empty(folder: Path) -> None:
    """Move all processes into a group of their own."""
    leaf = folder / LEAF
    leaf.mkdir(exist_ok=True)
    for pid in (folder / PROCS).read_text().split():
        with contextlib.suppress(ProcessLookupError):
            (leaf / PROCS).write_text(pid)
