"""Has an upload looked at in a process of its own, which may end in any way."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import anyio
import msgspec
from anyio import to_thread
from msgspec import Struct

from nebula_lab.registry.format.documents import Archive, PublishedVersion
from nebula_lab.registry.server.answers import Refusal

__all__ = ["Examined", "Findings", "examined", "CANONICAL"]

_PATIENCE = 120.0  # seconds
CANONICAL = "canonical.zip"


class Findings(Struct, frozen=True, omit_defaults=True):
    """What an examination says.

    Attributes:
        id: the plugin; empty where the upload is not taken.
        version: what the registry is to say of it.
        message: why it is not taken.
        hint: what to do.
    """

    id: str = ""
    version: PublishedVersion | None = None
    message: str = ""
    hint: str | None = None


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


@asynccontextmanager
async def examined(archive: Path, source: str | None) -> AsyncIterator[Examined]:
    """Look at an upload; what it was unpacked to is gone when the block ends.

    Args:
        archive: the upload.
        source: the file or folder in it that is the plugin; found where None.

    Raises:
        Refusal: it is not taken.
    """
    work = archive.with_suffix(".work")
    work.mkdir(mode=0o700)
    try:
        findings = await _findings(archive, work, source)
        if findings.version is None:
            raise _refused(findings.message, findings.hint)
        yield Examined(findings.id, findings.version, work / CANONICAL)
    finally:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(lambda: shutil.rmtree(work, ignore_errors=True))


async def _findings(archive: Path, work: Path, source: str | None) -> Findings:
    command = [sys.executable, "-P", "-m", "nebula_lab.registry.server.examining"]
    words = [str(archive), str(work), *([] if source is None else [source])]
    try:
        with anyio.fail_after(_PATIENCE):
            done = await anyio.run_process(
                [*command, *words], stderr=subprocess.DEVNULL, check=False
            )
    except TimeoutError:
        raise _refused(f"looking at it took more than {_PATIENCE:g} s", None) from None
    if done.returncode:
        # Such as a parser that a source has driven out of its memory.
        ending = _ENDINGS.get(done.returncode, f"code {done.returncode}")
        raise _refused(f"it could not be looked at: the process ended with {ending}", None)
    return msgspec.json.decode(done.stdout, type=Findings)


_ENDINGS: Mapping[int, str] = {-9: "SIGKILL", -11: "SIGSEGV", -24: "SIGXCPU", -25: "SIGXFSZ"}


def _refused(message: str, hint: str | None) -> Refusal:
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_archive", message, hint)
