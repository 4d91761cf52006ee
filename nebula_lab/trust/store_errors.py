"""What the system says of the content store, said for people."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nebula_lab.errors import StoreError

__all__ = ["explained"]

_FULL = "Make room there, or set NEBULA_LAB_HOME to a folder on another disk."
_READ_ONLY = "Set NEBULA_LAB_HOME to a folder that you can write to."
_CURES: Mapping[int | None, str] = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _READ_ONLY,
    errno.EPERM: _READ_ONLY,
    errno.ENOTDIR: _READ_ONLY,
}


@contextmanager
def explained(what: str, place: Path) -> Iterator[None]:
    """Turn an OSError into a StoreError: `what` can't be done at `place`, why, and the cure."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{what}: {error.strerror or error}",
            path=error.filename or place,
            hint=_CURES.get(error.errno, "Check the folder of the content store, and its disk."),
        ) from error
