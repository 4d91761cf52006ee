"""Opens an archive of a stranger's: nothing of it touches the disk before all of it was checked."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable
from hashlib import file_digest, sha256
from pathlib import Path

from nebula_lab.errors import ArchiveError
from nebula_lab.registry.archives.entries import objection
from nebula_lab.registry.format.documents import PublishedVersion
from nebula_lab.trust.contents import CollectedPlugin, PluginFiles, StoredFile, is_plain_path
from nebula_lab.trust.intake import MOST_BYTES

__all__ = ["ARCHIVE_LIMIT", "ArchiveFile", "open_archive", "unpack"]

ArchiveFile = io.BytesIO | io.BufferedReader

# Bytes: what a plugin may have, and what a zip file says of it.
ARCHIVE_LIMIT = MOST_BYTES + 8 * 2**20
# Its list of entries is read as a whole, and a value is made of each, before anybody counts them.
_LIST_LIMIT = 4 * 2**20
_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_LARGE_SIGNATURE = b"PK\x06\x07"
_LARGE_SIZE = 20
_HINT = "Nothing of it was unpacked. Ask whoever keeps the registry."
# What zipfile raises for what is wrong with an archive.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)


def open_archive(
    archive: bytes | ArchiveFile, plugin_id: str, version: PublishedVersion, folder: Path
) -> CollectedPlugin:
    """The files of a version, in memory.

    Args:
        archive: its bytes, or the file that has them.
        plugin_id: the plugin.
        version: what was promised of it.
        folder: where its files are, or will be.

    Raises:
        ArchiveError: it is not what was promised, is damaged, or has in it what no plugin has.
    """
    file = _as_file(archive)
    if _size(file) != version.archive.size or _file_digest(file) != version.archive.sha256:
        raise _refusal(
            plugin_id,
            version,
            "the archive is not the one that the registry promised: its hash is another",
        )
    try:
        contents, files = unpack(file)
    except ArchiveError as error:
        raise _refusal(plugin_id, version, error.message) from error
    if not _is_within(version.source, contents):
        raise _refusal(plugin_id, version, f"it has no {version.source!r}, the plugin")
    tree = PluginFiles(version.source, files)
    if tree.digest != version.tree:
        raise _refusal(plugin_id, version, "its files are not those that the registry promised")
    if version.described_by not in contents:
        raise _refusal(plugin_id, version, f"it has no {version.described_by!r} to describe it")
    return CollectedPlugin(plugin_id, version.version, folder, tree, contents, version.described_by)


def unpack(packed: bytes | ArchiveFile) -> tuple[dict[str, bytes], tuple[StoredFile, ...]]:
    """What is in an archive, whosever it is: bytes by path, and the same files as values.

    Raises:
        ArchiveError: it is damaged, or has in it what no plugin has.
    """
    file = _as_file(packed)
    size = _size(file)
    _require_plain_end(file, size)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if found := objection(entries, size):
                raise ArchiveError(found, hint=_HINT)
            contents = {entry.filename: _content(archive, entry) for entry in entries}
            files = sorted(_stored(entry, contents[entry.filename]) for entry in entries)
    except _BROKEN as error:
        raise ArchiveError(f"it is no zip file, or a damaged one: {error}", hint=_HINT) from error
    return contents, tuple(files)


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """An entry, of which no more is unpacked than it says to have: `ZipFile.read` cuts it after."""
    with archive.open(entry) as file:
        content = file.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise ArchiveError(f"its entry {entry.filename!r} is not as long as it says", hint=_HINT)
    return content


def _require_plain_end(file: ArchiveFile, size: int) -> None:
    """Hold the list of entries to a size before zipfile reads it."""
    file.seek(max(0, size - _END.size - _LARGE_SIZE))
    last = file.read()
    end = last[-_END.size :]
    if len(end) < _END.size or not end.startswith(_END_SIGNATURE):
        raise ArchiveError("it is no zip file, or has a comment at its end", hint=_HINT)
    list_size = _END.unpack(end)[5]
    is_large = last[-_END.size - _LARGE_SIZE :].startswith(_LARGE_SIGNATURE)
    if is_large or list_size > _LIST_LIMIT:
        raise ArchiveError("it lists more files than a plugin may have", hint=_HINT)


def _as_file(archive: bytes | ArchiveFile) -> ArchiveFile:
    return io.BytesIO(archive) if isinstance(archive, bytes) else archive


def _size(file: ArchiveFile) -> int:
    return file.seek(0, io.SEEK_END)


def _file_digest(file: ArchiveFile) -> str:
    file.seek(0)
    return file_digest(file, "sha256").hexdigest()


def _is_within(source: str, paths: Iterable[str]) -> bool:
    if not is_plain_path(source) or "/" in source:
        return False
    return any(path == source or path.startswith(f"{source}/") for path in paths)


def _stored(entry: zipfile.ZipInfo, content: bytes) -> StoredFile:
    executable = bool((entry.external_attr >> 16) & stat.S_IXUSR)
    return StoredFile(entry.filename, _digest(content), len(content), executable)


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def _refusal(plugin_id: str, version: PublishedVersion, message: str) -> ArchiveError:
    return ArchiveError(f"{version.version}: {message}", plugin_id=plugin_id, hint=_HINT)
