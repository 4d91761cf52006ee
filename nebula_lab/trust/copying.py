"""Copies out of the store, hashed on the way."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from nebula_lab.errors import StoreError
from nebula_lab.trust.contents import StoredFile

__all__ = ["checked_bytes", "checked_copy", "write_missing"]

_CHUNK = 1024 * 1024
_REMOVED = "was damaged in the content store, and has been removed from it"
_MODES = {False: 0o444, True: 0o555}


def checked_bytes(blob: str, file: StoredFile) -> bytes:
    """The bytes of a blob.

    Raises:
        StoreError: as `checked_copy`.
    """
    try:
        content = Path(blob).read_bytes()
    except FileNotFoundError:
        raise _damaged(blob, file, "is missing from the content store") from None
    if sha256(content).hexdigest() != file.sha256:
        Path(blob).unlink(missing_ok=True)
        raise _damaged(blob, file, _REMOVED)
    return content


def checked_copy(blob: str, file: StoredFile, target: str) -> None:
    """Copy a blob to a file that is not there yet.

    Raises:
        StoreError: the blob is missing or is not what its name says; it has been removed, and so
            has the copy.
        OSError: the copy can't be written.
    """
    try:
        source = os.open(blob, os.O_RDONLY)
    except FileNotFoundError:
        raise _damaged(blob, file, "is missing from the content store") from None
    try:
        copy = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODES[file.executable])
        try:
            intact = _copied(source, copy) == file.sha256
        except BaseException:
            os.unlink(target)  # noqa: PTH108 - on the path of every load
            raise
        finally:
            os.close(copy)
    finally:
        os.close(source)
    if not intact:
        os.unlink(target)  # noqa: PTH108
        Path(blob).unlink(missing_ok=True)
        raise _damaged(blob, file, _REMOVED)


def write_missing(content: bytes, file: StoredFile, target: str) -> None:
    """Write a file as `checked_copy` does, from bytes that are known to be right.

    One that is there is left, since it was checked when it was copied.

    Raises:
        OSError: it can't be written; it is not there then.
    """
    try:
        copy = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODES[file.executable])
    except FileExistsError:
        return
    try:
        with os.fdopen(copy, "wb") as written:
            written.write(content)
    except BaseException:
        Path(target).unlink()
        raise


def _copied(source: int, copy: int) -> str:
    """Copy all bytes; their SHA-256."""
    hashed = sha256()
    while chunk := os.read(source, _CHUNK):
        hashed.update(chunk)
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(copy, rest) :]
    return hashed.hexdigest()


def _damaged(blob: str, file: StoredFile, what: str) -> StoreError:
    return StoreError(
        f"{file.path} {what}",
        path=blob,
        hint="Load the plugin from its source again. Check the disk if it happens twice.",
    )
