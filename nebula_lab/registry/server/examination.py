"""Has an upload looked at in a process of its own, which may end in any way."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import file_digest
from http import HTTPStatus
from pathlib import Path

import anyio
import msgspec
from anyio import to_thread
from msgspec import Struct
from pydantic import TypeAdapter, ValidationError

from nebula_lab.model.descriptor import PluginId
from nebula_lab.registry.format.documents import Archive, PublishedVersion
from nebula_lab.registry.server.answers import Refusal
from nebula_lab.registry.server.examining import CANONICAL, FINDINGS, Findings, examine
from nebula_lab.registry.server.receiving import WORK

__all__ = ["Examined", "Examiner"]

_PATIENCE = 120.0  # seconds
# What an examination imports, which takes half a second: imported once, by what forks them.
_IMPORTED = ["nebula_lab.discovery", "nebula_lab.registry.building.version"]


class Examined(Struct, frozen=True):
    """An upload that may be offered.

    Attributes:
        id: the plugin.
        version: what the registry is to say of it.
        file: its archive, packed anew from the files that were checked.
    """

    id: str
    version: PublishedVersion
    file: Path

    @property
    def archive(self) -> Archive:
        return self.version.archive


class Examiner:
    """Starts a process for each upload, from one that has done nothing but import."""

    def __init__(self) -> None:
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(_IMPORTED)

    @asynccontextmanager
    async def examined(self, archive: Path, source: str | None) -> AsyncIterator[Examined]:
        """Look at an upload; what it was unpacked to is gone when the block ends.

        Args:
            archive: the upload.
            source: the file or folder in it that is the plugin; found where None.

        Raises:
            Refusal: it is not taken.
        """
        work = archive.with_suffix(WORK)
        try:
            with anyio.CancelScope(shield=True):
                findings = await to_thread.run_sync(self._findings, archive, work, source)
            if findings.version is None:
                raise _refused(findings.message, findings.hint)
            _require_sound(findings.id, findings.version, work / CANONICAL)
            yield Examined(findings.id, findings.version, work / CANONICAL)
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(lambda: shutil.rmtree(work, ignore_errors=True))

    def _findings(self, archive: Path, work: Path, source: str | None) -> Findings:
        work.mkdir(mode=0o700)
        process = self._processes.Process(target=examine, args=(archive, work, source))
        process.start()
        process.join(_PATIENCE)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise _refused(f"looking at it took more than {_PATIENCE:g} s", None)
        code = process.exitcode
        process.close()
        if code:
            # Such as a parser that a source has driven out of its memory.
            ending = _ENDINGS.get(code, f"code {code}")
            raise _refused(f"it could not be looked at: the process ended with {ending}", None)
        # A file, because a pipe of this kind would unpickle what comes out of the process.
        return msgspec.json.decode((work / FINDINGS).read_bytes(), type=Findings)


def _require_sound(plugin_id: str, version: PublishedVersion, file: Path) -> None:
    """Believe nothing of a process that has read what a stranger sent, and may be his by now.

    Raises:
        Refusal: its id is none, or its archive is not the regular file that it tells of.
    """
    try:
        TypeAdapter(PluginId).validate_python(plugin_id)
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as opened:
            found = os.fstat(descriptor)
            is_sound = stat.S_ISREG(found.st_mode) and found.st_size == version.archive.size
            is_sound = is_sound and file_digest(opened, "sha256").hexdigest() == (
                version.archive.sha256
            )
    except (OSError, ValidationError):
        is_sound = False
    if not is_sound:
        raise _refused("what came of looking at it makes no sense", None)


_ENDINGS: Mapping[int, str] = {-9: "SIGKILL", -11: "SIGSEGV", -24: "SIGXCPU", -25: "SIGXFSZ"}


def _refused(message: str, hint: str | None) -> Refusal:
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_archive", message, hint)
