"""What may be in an archive: regular files under plain names, and no more than there should be."""

from __future__ import annotations

import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Sequence

from nebula_lab.model.ignored import is_ignored
from nebula_lab.trust.contents import is_plain_path
from nebula_lab.trust.intake import MOST_BYTES, MOST_FILES

__all__ = ["objection"]

_LONGEST_NAME = 255  # bytes of one part of a path, as file systems have it
_LONGEST_PATH = 1_000
_MOST_TIMES_LARGER = 100
_SMALL = 2**20  # bytes, for which the ratio does not matter
_ENCRYPTED = 0x1 | 0x40
_HEADER = 30  # bytes ahead of an entry's name and content, at least
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a fifo",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def objection(entries: Sequence[zipfile.ZipInfo], archive_size: int) -> str | None:
    """Why nothing of an archive is to be taken; None if nothing speaks against it.

    Args:
        entries: as the archive lists them; nothing has been unpacked yet.
        archive_size: bytes of the whole archive.
    """
    if len(entries) > MOST_FILES:
        return f"it has {len(entries):,} entries, and a plugin at most {MOST_FILES:,} files"
    for entry in entries:
        for check in _CHECKS:
            if found := check(entry):
                return f"its entry {entry.orig_filename[:200]!r} {found}"
    return _collision(entries) or _overlap(entries) or _too_large(entries, archive_size)


def _name(entry: zipfile.ZipInfo) -> str | None:
    name = entry.orig_filename  # `filename` ends at the first null byte
    if name.startswith(("/", "\\")) or name[1:2] == ":":
        return "has an absolute path"
    if ".." in name.replace("\\", "/").split("/"):
        return "leads out of the folder that it is unpacked to"
    if name.endswith("/"):
        return "is a folder; only files are listed"
    if not is_plain_path(name) or len(name) > _LONGEST_PATH:
        return "has a name that can't be kept"
    parts = name.split("/")
    if any(len(part.encode()) > _LONGEST_NAME for part in parts):
        return "has a name that is too long for a file"
    if any(map(is_ignored, parts)):
        return "is hidden, a cache or a copy of an editor's: none of these is part of a plugin"
    return None


def _kind(entry: zipfile.ZipInfo) -> str | None:
    mode = entry.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if kind in (0, stat.S_IFREG):
        return None
    return f"is {_KINDS.get(kind, 'no regular file')}"


def _form(entry: zipfile.ZipInfo) -> str | None:
    if entry.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if entry.compress_type not in _METHODS:
        return "is compressed in a way that is not taken; store or deflate it"
    return None


_CHECKS: tuple[Callable[[zipfile.ZipInfo], str | None], ...] = (_name, _kind, _form)


def _collision(entries: Sequence[zipfile.ZipInfo]) -> str | None:
    """Two names that are one, somewhere: where case does not count, or how letters are written."""
    seen: dict[str, str] = {}
    for name in (entry.orig_filename for entry in entries):
        other = seen.setdefault(_folded(name), name)
        if other is not name:
            return f"its entries {other!r} and {name!r} would be one file"
    for name in seen.values():
        for folder in _folders(name):
            if _folded(folder) in seen:
                return f"{folder!r} is a file and a folder in it"
    return None


def _overlap(entries: Sequence[zipfile.ZipInfo]) -> str | None:
    """Two entries with the same bytes: a small archive could have the same bomb many times."""
    end = 0
    for entry in sorted(entries, key=lambda one: one.header_offset):
        if entry.header_offset < end:
            return f"its entry {entry.orig_filename[:200]!r} shares its content with another"
        end = entry.header_offset + _HEADER + entry.compress_size
    return None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _folders(name: str) -> Iterator[str]:
    at = name.find("/")
    while at >= 0:
        yield name[:at]
        at = name.find("/", at + 1)


def _too_large(entries: Sequence[zipfile.ZipInfo], archive_size: int) -> str | None:
    total = sum(entry.file_size for entry in entries)
    if total > MOST_BYTES:
        return f"its files have {total / 2**20:,.0f} MiB; at most {MOST_BYTES // 2**20} are taken"
    if total > _SMALL and total > _MOST_TIMES_LARGER * archive_size:
        return f"its files are more than {_MOST_TIMES_LARGER} times as large as the archive"
    return None
