"""Folders like those of control groups, for what this machine's kernel has not."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "cgroup.procs": "",
    "cgroup.type": "domain\n",
    "cgroup.controllers": "cpu io memory pids\n",
    "cgroup.subtree_control": "",
    "cpu.max": "max 100000\n",
    "memory.current": f"{50 << 20}\n",
    "memory.max": "max\n",
    "memory.swap.max": "max\n",
    "memory.events": "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n",
    "pids.current": "13\n",
    "pids.max": "max\n",
    "pids.events": "max 0\n",
}


class GroupFolder(type(Path())):
    """A folder in which a new folder has the files of a group, and loses them with its end."""

    def mkdir(self, *arguments, **settings):
        is_new = not self.exists()
        super().mkdir(*arguments, **settings)
        for name, content in FILES.items() if is_new else ():
            (self / name).write_text(content)

    def rmdir(self):
        for file in self.iterdir():
            file.unlink()
        super().rmdir()


def machine_with(folder: Path, own: str, *, root: str = "/") -> Path:
    """What /proc/self is on a machine with version 2 only; the groups are in `folder`/groups.

    Args:
        own: the group of the process.
        root: the first group that is seen, as in a container; the system's own is «/».
    """
    proc, top = folder / "self", folder / "groups"
    proc.mkdir()
    (proc / "cgroup").write_text(f"0::{own}\n")
    (proc / "mountinfo").write_text(
        f"23 1 0:20 / /proc rw - proc proc rw\n"
        f"31 23 0:28 {root} {top} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
    )
    GroupFolder(top).mkdir()
    if root == "/" and own != "/":
        (top / "cgroup.type").unlink()
    here = top
    for name in Path(own).relative_to(root).parts:
        here /= name
        GroupFolder(here).mkdir()
    return proc
