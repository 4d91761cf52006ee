"""On which file systems changes that others make go unseen, told from the list of mounts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

__all__ = ["why_to_poll", "file_system_of"]

_MOUNTS = Path("/proc/self/mountinfo")
_OCTAL = re.compile(r"\\([0-7]{3})")
_ELSEWHERE = "changes that another machine makes are not told to this one"
_HOST = "changes that the host makes may not be told to this machine"
# inotify tells of what goes through this kernel and this mount, and of nothing else.
_REASONS: Mapping[str, str] = {
    "nfs": _ELSEWHERE,
    "nfs4": _ELSEWHERE,
    "cifs": _ELSEWHERE,
    "smb3": _ELSEWHERE,
    "smbfs": _ELSEWHERE,
    "afs": _ELSEWHERE,
    "ceph": _ELSEWHERE,
    "lustre": _ELSEWHERE,
    "gfs2": _ELSEWHERE,
    "ocfs2": _ELSEWHERE,
    "beegfs": _ELSEWHERE,
    "gpfs": _ELSEWHERE,
    "9p": _HOST,
    "virtiofs": _HOST,
    "vboxsf": _HOST,
    "vmhgfs": _HOST,
    "prl_fs": _HOST,
    "drvfs": _HOST,
    "overlay": "changes that are made below an overlay are not told to those who see it",
}
_FUSE = "a file system in user space need not tell of changes"


def why_to_poll(path: str, mounts: str | None = None) -> str | None:
    """Why a folder's file system is not to be relied on for events; None where it is.

    Args:
        path: the folder; links are followed.
        mounts: the text of `/proc/self/mountinfo`, if not that of this process.
    """
    kind = file_system_of(path, mounts)
    if kind is None or kind == "fuseblk":  # a disk of this machine, such as one with NTFS
        return None
    reason = _FUSE if kind.startswith("fuse") else _REASONS.get(kind)
    return None if reason is None else f"on {kind}, {reason}"


def file_system_of(path: str, mounts: str | None = None) -> str | None:
    """The type of the file system that a path is on; None where that can't be told."""
    if mounts is None:
        try:
            mounts = _MOUNTS.read_text(errors="surrogateescape")
        except OSError:
            return None
    real = os.path.realpath(path)
    found, longest = None, -1
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = _OCTAL.sub(lambda code: chr(int(code[1], 8)), fields[4])
        inside = point == "/" or real == point or real.startswith(f"{point}/")
        # Of several on one point the last one covers the others.
        if inside and len(point) >= longest:
            found, longest = after.split(" ")[0], len(point)
    return found
