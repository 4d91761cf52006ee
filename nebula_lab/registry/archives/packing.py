"""From a plugin's files to its archive: the same files are the same bytes, on every machine."""

from __future__ import annotations

import io
import stat
import zipfile

from nebula_lab.trust.contents import CollectedPlugin, StoredFile

__all__ = ["pack"]

_WHEN = (1980, 1, 1, 0, 0, 0)  # the first date that a zip file can say
_UNIX = 3


def pack(collected: CollectedPlugin) -> bytes:
    """The archive of a plugin's files.

    They are stored as they are: what deflate makes of them differs between versions of zlib, and
    a server or a proxy may still compress on the way.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for file in collected.files.files:
            archive.writestr(_entry(file), collected.contents[file.path])
    return buffer.getvalue()


def _entry(file: StoredFile) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(file.path, _WHEN)
    entry.create_system = _UNIX
    entry.external_attr = (stat.S_IFREG | (0o755 if file.executable else 0o644)) << 16
    return entry
