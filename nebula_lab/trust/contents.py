"""The files of one plugin as a value."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Self

from msgspec import Struct

from nebula_lab.errors import StoreError

__all__ = ["StoredFile", "PluginFiles", "CollectedPlugin", "SIGNED_LIST", "is_plain_path"]

# Of a package inside it; of a single file beside it, with its stem in place of "plugin".
SIGNED_LIST = "plugin.sums"
_FIRST_LINE = "nebula-lab tree 1"
_ENTRY = re.compile(
    r"(?P<kind>[fx]) (?P<sha256>[0-9a-f]{64}) (?P<size>0|[1-9][0-9]{0,17}) (?P<path>.+)"
)
# A backslash is a separator elsewhere, and a line break would forge a line of a list of files.
_UNFIT = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


def is_plain_path(path: str) -> bool:
    """Whether a path is relative, stays below where it starts, and is written in one way only."""
    parts = path.split("/")
    return not _UNFIT.search(path) and not any(part in ("", ".", "..") for part in parts)


class StoredFile(Struct, frozen=True, order=True):
    """One file: where it is in its tree, and what is in it.

    Attributes:
        path: relative to the tree's root, with `/` between its parts.
        sha256: of its bytes, as 64 lower-case hexadecimal digits.
        size: bytes.
        executable: whether its owner may execute it.
    """

    path: str
    sha256: str
    size: int
    executable: bool = False


class PluginFiles(Struct, frozen=True, dict=True):
    """All files of one plugin, by what is in them.

    Attributes:
        source: the file or folder that is the plugin itself; the tree's root is the folder with it.
        files: sorted by path.
    """

    source: str
    files: tuple[StoredFile, ...]

    @cached_property
    def text(self) -> str:
        """The value as text, one way only: the digest is taken over it, and the store keeps it."""
        lines = [
            f"{'x' if file.executable else 'f'} {file.sha256} {file.size} {file.path}"
            for file in self.files
        ]
        return "\n".join([_FIRST_LINE, self.source, *lines, ""])

    @cached_property
    def digest(self) -> str:
        """SHA-256 over `text`, in hexadecimal: equal digests mean equal files under equal names."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The value that `text` is of.

        Raises:
            StoreError: it is of none.
        """
        first, _, rest = text.partition("\n")
        source, *lines = rest.split("\n")
        found = [_ENTRY.fullmatch(line) for line in lines[:-1]]
        files = tuple(
            StoredFile(one["path"], one["sha256"], int(one["size"]), one["kind"] == "x")
            for one in found
            if one is not None
        )
        value = cls(source, files)
        paths = [source, *(file.path for file in files)]
        if first != _FIRST_LINE or value.text != text or not all(map(is_plain_path, paths)):
            raise StoreError("a list of files in the content store can't be read")
        return value


class CollectedPlugin(Struct, frozen=True):
    """The files of a plugin together with their bytes, as they were when they were read once.

    Attributes:
        plugin_id: the plugin.
        version: what its description says.
        folder: where the root of the tree was on disk, for messages.
        files: what there is.
        contents: the bytes of each file by its path.
        description: the file among these that says what the plugin is; None where another one
            does, such as a list of plugins.
    """

    plugin_id: str
    version: str
    folder: Path
    files: PluginFiles
    contents: Mapping[str, bytes]
    description: str | None = None

    @property
    def signed_list(self) -> str:
        """The path of the list of files that a signature is for, whether it is there or not."""
        return signed_list_path(self.files.source, is_package=self.is_package)

    @property
    def is_package(self) -> bool:
        """Whether the source is a folder."""
        return self.files.source not in self.contents


def signed_list_path(source: str, *, is_package: bool) -> str:
    """Where the signed list of a source's files is; its signature has `.sig` after that name."""
    if is_package:
        return f"{source}/{SIGNED_LIST}"
    return str(PurePosixPath(source).with_suffix(PurePosixPath(SIGNED_LIST).suffix))
