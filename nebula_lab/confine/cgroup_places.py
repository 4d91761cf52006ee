"""Where this process may make control groups; see cgroups(7).

They are made below the group that the process is in, so that whatever limits that has hold for
them too. In version 2 a group that hands controllers on has no processes itself: this process is
then in a group named `LEAF`, and others are made beside that; see `cgroup_division`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

PROCS = "cgroup.procs"
HANDED_ON = "cgroup.subtree_control"
LEAF = "nebula-lab"
CONTROLLERS = ("cpu", "memory", "pids")
# In version 1 the memory of a process stays in the group where the system counts it: what watches
# over a container often looks at just that one. rlimits hold each process all the same.
_SEPARATE = ("cpu", "pids")
_SELF = Path("/proc/self")
_USUAL = "/sys/fs/cgroup"


class Place(NamedTuple):
    """Where groups can be made.

    Attributes:
        version: of the kernel's interface.
        folders: where, by controller; all the same one in version 2.
        entrance: the file by which a process of one thread enters a group.
    """

    version: int
    folders: dict[str, Path]
    entrance: str


class Mount(NamedTuple):
    """A file system of groups; see proc_pid_mountinfo(5)."""

    point: str
    root: str
    kind: str
    options: frozenset[str]

    def folder_of(self, group: str) -> Path | None:
        """The folder of a group; None where this mount shows another part of the hierarchy."""
        below = os.path.relpath(group, self.root)
        return None if below.startswith("..") else Path(self.point, below)


def find(proc: Path = _SELF) -> Place:
    """Where this process can make groups with limits.

    Args:
        proc: what the kernel says of this process.

    Raises:
        OSError: nowhere.
    """
    there, own = list(mounts(proc)), own_groups(proc)
    found = _unified(there, own) or _separate(there, own)
    if found is None:
        raise OSError("there is no control group that this user may divide")
    return found


def file_systems(proc: Path = _SELF) -> tuple[str, ...]:
    """The folders that have all groups in them."""
    points = (mount.point for mount in mounts(proc))
    return tuple(dict.fromkeys(_USUAL if one.startswith(f"{_USUAL}/") else one for one in points))


def mounts(proc: Path = _SELF) -> Iterator[Mount]:
    """The file systems of groups that this process sees."""
    for line in (proc / "mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        _, _, _, root, point, *_ = before.split()
        kind, _, options = after.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            yield Mount(point, root, kind, frozenset(options.split(",")))


def own_groups(proc: Path = _SELF) -> dict[str, str]:
    """The group of each controller of version 1, and with an empty name that of version 2."""
    own = {}
    for line in (proc / "cgroup").read_text().splitlines():
        _, names, group = line.split(":", 2)
        own.update(dict.fromkeys(names.split(","), group))
    return own


def unified_folder(there: Iterable[Mount], own: dict[str, str]) -> Path | None:
    """The folder of this process's group of version 2; None where it can't be seen."""
    for mount in there:
        if mount.kind == "cgroup2" and "" in own:
            return mount.folder_of(own[""])
    return None


def may_divide(folder: Path) -> bool:
    """Whether groups can be made in it and entered; a file system may also be read-only."""
    return os.access(folder, os.W_OK) and os.access(folder / PROCS, os.W_OK)


def hands_on(folder: Path) -> bool:
    """Whether the groups in it have the controllers that are wanted."""
    with contextlib.suppress(OSError):
        return set((folder / HANDED_ON).read_text().split()).issuperset(CONTROLLERS)
    return False


def is_root(folder: Path) -> bool:
    """Whether it is the system's first group, which alone may have both processes and groups."""
    return not (folder / "cgroup.type").exists()


def _unified(there: Iterable[Mount], own: dict[str, str]) -> Place | None:
    folder = unified_folder(there, own)
    if folder is None:
        return None
    where = folder.parent if folder.name == LEAF else folder if is_root(folder) else None
    if where is None or not hands_on(where) or not may_divide(where):
        return None
    return Place(2, dict.fromkeys(CONTROLLERS, where), PROCS)


def _separate(there: Iterable[Mount], own: dict[str, str]) -> Place | None:
    found = {
        name: folder
        for mount in there
        for name in _SEPARATE
        if mount.kind == "cgroup" and name in mount.options and name in own
        if (folder := mount.folder_of(own[name])) is not None and may_divide(folder)
    }
    if len(found) < len(_SEPARATE):
        return None
    # By «tasks» a thread enters alone. That does not stop every fork and exit of the system for the
    # time that an RCU grace period takes: 0.3 ms, where «cgroup.procs» took 15.
    return Place(1, found, "tasks")
