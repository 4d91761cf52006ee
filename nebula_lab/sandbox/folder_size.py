"""What the files in a folder take up, counted in small steps."""

from __future__ import annotations

import math
import os
from collections.abc import Generator, Iterable

from nebula_lab.sandbox.nameless_files import NamelessFiles

_BLOCK = 512  # of st_blocks, whatever the file system's are
# What has no blocks counts too, as where there is a quota: there can be a file for each 4 kB.
_ENTRY = 4096


def sizes(
    folder: str, nameless: NamelessFiles | None = None, pids: Iterable[int] = ()
) -> Generator[float]:
    """Bytes of one file after another below a folder, so that whoever adds them up can pause.

    Links are not followed, and a file with several names counts once, and as an empty one for each
    of the others. What can't be looked at, since it is nested too deep or may not be read, counts
    as infinite: files would be hidden there.

    Args:
        folder: its path.
        nameless: counts what has no name any more.
        pids: processes that may have such files.
    """
    counted: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    yield _size(entry, counted)
                    if nameless is not None and entry.inode() in nameless.suspects:
                        nameless.named(entry.inode())
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            if path == folder and not isinstance(error, PermissionError):
                raise
            yield math.inf
    if nameless is not None:
        yield from nameless.sizes(pids, counted)


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
