"""What the files in a folder take up, counted in small steps."""

from __future__ import annotations

import contextlib
import errno
import math
import os
from collections.abc import Generator

_BLOCK = 512  # of st_blocks, whatever the file system's are


def sizes(folder: str) -> Generator[float]:
    """Bytes of one file after another below a folder, so that whoever adds them up can pause.

    Links are not followed, and a file with several names counts once. What is nested so deep that
    it can't be looked at counts as infinite: files would be hidden there.
    """
    counted: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            path = waiting.pop()
            try:
                with os.scandir(path) as entries:
                    for entry in entries:
                        yield _size(entry, counted)
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
            except OSError as error:
                if error.errno != errno.ENAMETOOLONG:
                    raise
                yield math.inf


def _size(entry: os.DirEntry[str], counted: set[tuple[int, int]]) -> int:
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return 0
    if found.st_nlink > 1 and not entry.is_dir(follow_symlinks=False):
        name = (found.st_dev, found.st_ino)
        if name in counted:
            return 0
        counted.add(name)
    return found.st_blocks * _BLOCK
