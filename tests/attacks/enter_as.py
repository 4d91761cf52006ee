"""Runs a program as another user, who gets to see the Python that it needs.

    python enter_as.py UID FOLDER[:FOLDER…] PROGRAM ARGUMENT…

The folders are those that the program imports from. Where one of them is below a folder that the
user may not enter, such as root's home, it is bound into its place in mounts of the program's own,
with an empty folder around it; the machine's own mounts stay as they are.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import sys
import tempfile
from pathlib import Path

_NEWNS = 0x20000
_PRIVATE, _BIND, _MOVE = 0x44000, 0x5000, 0x2000
_DESCRIPTORS = 200_000
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    uid, folders, *program = sys.argv[1:]
    _take_own_mounts()
    _open_up([Path(folder).resolve() for folder in folders.split(":")])
    with contextlib.suppress(OSError, ValueError):
        # So that the attack on descriptors has room; what a plugin gets is the manager's matter.
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, max(hard, _DESCRIPTORS)))
    if int(uid):
        os.setgroups([])
        os.setgid(int(uid))
        os.setuid(int(uid))
    os.execv(program[0], program)


def _take_own_mounts() -> None:
    if _libc.unshare(_NEWNS) == 0:
        _mount(b"none", b"/", None, _PRIVATE)


def _open_up(folders: list[Path]) -> None:
    closed = {folder: top for folder in folders if (top := _closed_ancestor(folder))}
    if not closed:
        return
    held = Path(tempfile.mkdtemp())
    for number, folder in enumerate(closed):
        (held / str(number)).mkdir()
        _mount(os.fsencode(folder), os.fsencode(held / str(number)), None, _BIND)
    for top in set(closed.values()):
        _mount(b"none", os.fsencode(top), b"tmpfs", 0, b"mode=755")
    for number, folder in enumerate(closed):
        folder.mkdir(parents=True, exist_ok=True)
        _mount(os.fsencode(held / str(number)), os.fsencode(folder), None, _MOVE)
        (held / str(number)).rmdir()
    held.rmdir()


def _closed_ancestor(folder: Path) -> Path | None:
    for ancestor in reversed([folder, *folder.parents]):
        if not ancestor.stat().st_mode & 0o001:
            return ancestor
    return None


def _mount(source: bytes, place: bytes, kind: bytes | None, flags: int, data: bytes = b"") -> None:
    if _libc.mount(source, place, kind, ctypes.c_ulong(flags), data) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"mount at {place.decode()}: {os.strerror(number)}")


main()
