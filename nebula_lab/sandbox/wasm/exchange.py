"""The manager's end of the folder by which large content goes into a machine and out of it.

Each file is written once, read once, and removed. The machine can write whatever it likes there,
so what is read is a plain file, of a size that was looked at on the open file.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
from pathlib import Path

from nebula_lab.wire.parcel import MAX_FREIGHT


class Exchange:
    """The folder, and the names that were given.

    Args:
        folder: that the machine sees too.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)
        self._put: list[Path] = []

    def put(self, content: memoryview) -> str:
        """Write content into a file of its own; the file's name."""
        name, descriptor = self._new_file()
        try:
            while content:
                content = content[os.write(descriptor, content) :]
        finally:
            os.close(descriptor)
        self._put.append(self.folder / name)
        return name

    def _new_file(self) -> tuple[str, int]:
        """A name that was not taken: the machine can guess the next ones, and take them first."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        for number in self._numbers:
            with contextlib.suppress(FileExistsError):
                return f"m{number}", os.open(self.folder / f"m{number}", flags, 0o600)
        raise AssertionError("numbers have no end")

    def take(self, name: str, *, is_frozen: bool = False) -> memoryview:
        """What the machine has written into a file.

        Args:
            name: of the file.
            is_frozen: nobody will write to what it gives, which is then a view of `bytes`.

        Raises:
            ValueError: there is no such plain file, or it is too large.
        """
        if type(name) is not str or os.sep in name or name in ("", ".", ".."):
            raise ValueError("a name of a file that is none")
        path = self.folder / name
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            descriptor = os.open(path, flags)
        except (OSError, ValueError) as error:
            raise ValueError(f"content that is not there: {error}") from error
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_FREIGHT:
                raise ValueError("content that is no file of a size that can be taken")
            read = _frozen if is_frozen else _writable
            content = read(descriptor, found.st_size)
        finally:
            os.close(descriptor)
        path.unlink(missing_ok=True)
        return memoryview(content)

    def tidy(self) -> None:
        """Remove what was put and not taken, as by an operation that failed before."""
        for path in self._put:
            with contextlib.suppress(OSError):  # the machine may have put a folder in its place
                path.unlink(missing_ok=True)
        self._put.clear()


def _writable(descriptor: int, size: int) -> bytearray:
    content = bytearray(size)
    view = memoryview(content)
    while view and (count := os.readv(descriptor, [view])):
        view = view[count:]
    return content


def _frozen(descriptor: int, size: int) -> bytes:
    """Read right into the object that is given; in one piece, unless it has 2 GB."""
    content = os.read(descriptor, size)
    while more := os.read(descriptor, size - len(content)):
        content += more
    return content
