"""Reading files that somebody else put there: only regular ones, only up to a size."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nebula_lab.errors import MetadataLoadError

# Parsing takes up to 500 bytes of memory and 3 µs for each byte of source. A plugin's own text is
# far below this; what is above is data, and belongs in a file of its own.
SOURCE_LIMIT = 1024 * 1024
MANIFEST_LIMIT = 1024 * 1024
NOTEBOOK_LIMIT = 16 * 1024 * 1024
COMPONENT_LIMIT = 128 * 1024 * 1024  # of which a few bytes a section are read

_DATA_APART = "Keep data in files of their own, beside the plugin's source."
_SMALLER = {".ipynb": "Clear the outputs of its cells, and keep data in files of their own."}

# A fifo without a writer would block the open for ever, and a terminal would become ours.
_OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def read_regular_file(path: Path, limit: int) -> bytes:
    """The bytes of a regular file, links followed.

    Args:
        path: the file.
        limit: the largest size, in bytes, that is read.

    Raises:
        MetadataLoadError: it is not there, not a regular file, larger than `limit`, or the
            system refuses to read it.
    """
    with _opened(path, limit) as (descriptor, size):
        return _read_all(descriptor, size, path, limit)


@contextmanager
def regular_file(path: Path, limit: int) -> Iterator[tuple[BinaryIO, int]]:
    """A regular file, open to be read in parts, and its size; as `read_regular_file`."""
    with _opened(path, limit) as (descriptor, size), open(descriptor, "rb", closefd=False) as file:
        yield file, size


@contextmanager
def _opened(path: Path, limit: int) -> Iterator[tuple[int, int]]:
    with readable(path):
        # Looked at before it is opened, as opening a device can already have an effect, and
        # once more afterwards, as it may have been exchanged in between.
        _check(os.stat(path), path, limit)  # noqa: PTH116 - Path.stat costs as much as the read
        descriptor = os.open(path, _OPEN_FLAGS)
        try:
            yield descriptor, _check(os.fstat(descriptor), path, limit)
        finally:
            os.close(descriptor)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what the system says of a path, or of its name, into a MetadataLoadError."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> MetadataLoadError:
    """The error for a file or folder that the system does not let us look at."""
    reason = getattr(error, "strerror", None) or str(error)
    return MetadataLoadError(f"can't be read: {reason}", path=path, hint=_cure(error))


def _cure(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "Give yourself the right to read it, or move it out of the plugin folder."
    if isinstance(error, FileNotFoundError):
        return "Check the name; if it is a link, check where it leads."
    return "Check where it leads and what it is; a plugin is a regular file or a folder."


def _check(status: os.stat_result, path: Path, limit: int) -> int:
    if not stat.S_ISREG(status.st_mode):
        raise MetadataLoadError(
            f"is {_kind(status.st_mode)}, not a regular file",
            path=path,
            hint="Move it out of the plugin folder, or leave it out with a narrower pattern.",
        )
    if status.st_size > limit:
        raise MetadataLoadError(
            f"has {status.st_size} bytes; at most {limit} are read to find a plugin",
            path=path,
            hint=_SMALLER.get(path.suffix, _DATA_APART),
        )
    return status.st_size


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFIFO: "a fifo",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
        stat.S_IFDIR: "a folder",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")


def _read_all(descriptor: int, size: int, path: Path, limit: int) -> bytes:
    content = os.read(descriptor, size + 1)
    # One read is all there is to most files; the rest is for those that grow meanwhile, and
    # for the kernel's own files, which say that they are empty.
    while chunk := os.read(descriptor, 65536):
        content += chunk
        if len(content) > limit:
            raise MetadataLoadError(
                f"gives more than the {limit} bytes that are read to find a plugin",
                path=path,
                hint=_SMALLER.get(path.suffix, _DATA_APART),
            )
    return content
