"""Takes the body of an upload onto the disk, and no more of it than a plugin may have."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import anyio
from anyio import to_thread
from starlette.requests import ClientDisconnect, Request

from nebula_lab.registry.archives.opening import ARCHIVE_LIMIT
from nebula_lab.registry.publishing.folder import RegistryFolder
from nebula_lab.registry.server.answers import Refusal
from nebula_lab.registry.server.pace import Pace
from nebula_lab.trust import locks

__all__ = ["WORK", "received", "sweep"]

_SUFFIX = ".zip"
WORK = ".work"  # of the folder to which an upload is unpacked, beside it


@asynccontextmanager
async def received(request: Request, folder: RegistryFolder, pace: Pace) -> AsyncIterator[Path]:
    """The body of a request in a file, which is gone when the block ends, unless it was moved.

    Args:
        request: it.
        folder: the registry.
        pace: how fast it has to come.

    Raises:
        Refusal: it is too long, empty, or comes too slowly.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > ARCHIVE_LIMIT:
        raise _too_long()
    path = folder.incoming / f"{secrets.token_hex(16)}{_SUFFIX}"
    await to_thread.run_sync(_make, path)
    # Held for as long as the file is in use, so that whoever sweeps up sees whether it is.
    with locks.exclusive(path, "an upload"):
        try:
            await _write(request, path, pace)
            yield path
        finally:
            path.unlink(missing_ok=True)


async def _write(request: Request, path: Path, pace: Pace) -> None:
    count, began = 0, anyio.current_time()
    chunks = request.stream()
    with path.open("wb") as file:
        while True:
            left = began + pace.seconds_for(count) - anyio.current_time()
            try:
                with anyio.fail_after(min(pace.silence, left)):
                    chunk = await anext(chunks, None)
            except TimeoutError:
                raise _too_slow(pace, count, is_silent=left > pace.silence) from None
            except ClientDisconnect:
                raise Refusal(HTTPStatus.BAD_REQUEST, "cut_off", "the upload was cut off") from None
            if chunk is None:
                break
            count += len(chunk)
            if count > ARCHIVE_LIMIT:
                raise _too_long()
            await to_thread.run_sync(file.write, chunk)
    if not count:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "empty",
            "the request has no archive in it",
            "Send the bytes of the zip file as the body.",
        )


def sweep(folder: RegistryFolder) -> None:
    """Remove uploads that were cut off when a server ended; those under way are left."""
    for path in folder.incoming.glob(f"*{_SUFFIX}"):
        with locks.try_exclusive(path) as is_free:
            if is_free:
                shutil.rmtree(path.with_suffix(WORK), ignore_errors=True)
                path.unlink(missing_ok=True)


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _too_slow(pace: Pace, count: int, *, is_silent: bool) -> Refusal:
    said = (
        f"nothing came for {pace.silence:g} s"
        if is_silent
        else f"only {count:,} bytes came in {pace.seconds_for(count):.0f} s"
    )
    return Refusal(
        HTTPStatus.REQUEST_TIMEOUT,
        "too_slow",
        said,
        f"An archive has to come at {pace.slowest / 1024:g} KiB a second.",
        headers={"connection": "close"},
    )


def _too_long() -> Refusal:
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too_large",
        f"an archive may have {ARCHIVE_LIMIT // 2**20} MiB",
        "Keep data that is not a part of the plugin elsewhere.",
        headers={"connection": "close"},
    )
