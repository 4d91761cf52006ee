"""What is remembered of a plugin that was installed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from nebula_lab.errors import InstallError
from nebula_lab.trust.contents import StoredFile, is_plain_path

__all__ = ["Installed", "read_record", "record_bytes"]

_LIMIT = 8 * 2**20  # bytes


class Installed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One plugin that was installed from a registry.

    Attributes:
        id: the plugin.
        version: its version.
        registry: where it came from; updates are looked for there.
        requirement: the versions that somebody asked for; "*" for any.
        tree: SHA-256 of its files, as the content store names them.
        archive: SHA-256 of its archive.
        source: its file or folder, relative to the folder of plugins.
        files: all of its files, as they were when they came.
    """

    format: Annotated[int, Meta(ge=1, le=1)] = 1
    id: str
    version: str
    registry: str
    requirement: str = "*"
    tree: str
    archive: str
    source: str
    files: tuple[StoredFile, ...]

    @property
    def paths(self) -> frozenset[str]:
        """Of its files."""
        return frozenset(file.path for file in self.files)


def record_bytes(record: Installed) -> bytes:
    """A record as it is written."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


def read_record(path: Path) -> Installed:
    """The record in a file.

    Raises:
        InstallError: it can't be read, or is none.
    """
    try:
        with path.open("rb") as file:
            record = msgspec.json.decode(file.read(_LIMIT), type=Installed)
    except (OSError, msgspec.MsgspecError) as error:
        raise _unreadable(path, str(error)) from error
    # What is in the folder of plugins may have been written by anybody who may write there.
    if record.id != path.stem or not all(map(is_plain_path, [record.source, *record.paths])):
        raise _unreadable(path, "it names files that it should not")
    return record


def _unreadable(path: Path, said: str) -> InstallError:
    return InstallError(
        f"what is remembered of an installed plugin can't be read: {said}",
        plugin_id=path.stem,
        path=path,
        hint="Remove that file: the plugin stays, and counts as one of your own.",
    )
