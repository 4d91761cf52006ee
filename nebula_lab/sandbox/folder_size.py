"""What the files in a folder take up, counted in small steps."""

from __future__ import annotations

import contextlib
import math
import os
import stat
from collections.abc import Generator, Iterable
from pathlib import Path

_BLOCK = 512  # of st_blocks, whatever the file system's are
# What has no blocks counts too, as where there is a quota: there can be a file for each 4 kB.
_ENTRY = 4096


def sizes(folder: str, pids: Iterable[int] = ()) -> Generator[float]:
    """Bytes of one file after another below a folder, so that whoever adds them up can pause.

    Links are not followed, and a file with several names counts once, and as an empty one for each
    of the others. What can't be looked at, since it is nested too deep or may not be read, counts
    as infinite: files would be hidden there.

    Args:
        folder: its path.
        pids: processes whose open files count too if they have no name any more.
    """
    counted: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    yield _size(entry, counted)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            if path == folder and not isinstance(error, PermissionError):
                raise
            yield math.inf
    yield from _of_open_files(folder, pids, counted)


def _size(entry: os.DirEntry[str], counted: set[tuple[int, int]]) -> int:
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return 0
    if found.st_nlink > 1 and not entry.is_dir(follow_symlinks=False):
        name = (found.st_dev, found.st_ino)
        if name in counted:
            return _ENTRY
        counted.add(name)
    return max(found.st_blocks * _BLOCK, _ENTRY)


def _of_open_files(
    folder: str, pids: Iterable[int], counted: set[tuple[int, int]]
) -> Generator[int]:
    """Bytes of files on the folder's disk that processes have open and that have no name."""
    disk = Path(folder).stat().st_dev
    for pid in pids:
        # It may end meanwhile, or run a program that may not be looked at.
        with contextlib.suppress(OSError), os.scandir(f"/proc/{pid}/fd") as descriptors:
            for descriptor in descriptors:
                with contextlib.suppress(OSError):
                    yield _unnamed_size(descriptor.stat(), disk, counted)


def _unnamed_size(found: os.stat_result, disk: int, counted: set[tuple[int, int]]) -> int:
    name = (found.st_dev, found.st_ino)
    is_unnamed = found.st_nlink == 0 and found.st_dev == disk and stat.S_ISREG(found.st_mode)
    if not is_unnamed or name in counted:
        return 0
    counted.add(name)
    return found.st_blocks * _BLOCK
