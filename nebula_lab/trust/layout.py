"""Where things are in a content store."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

__all__ = ["StoreLayout", "blob_path", "default_root"]

_DIGEST = re.compile(r"[0-9a-f]{64}")


def default_root() -> Path:
    """The store that a user's managers share."""
    if home := os.environ.get("NEBULA_LAB_HOME"):
        return Path(home).expanduser() / "store"
    data = os.environ.get("XDG_DATA_HOME")
    # The specification says that a relative one is to be ignored.
    base = Path(data) if data and Path(data).is_absolute() else Path.home() / ".local" / "share"
    return base / "nebula-lab" / "store"


def blob_path(blobs: str, sha256: str) -> str:
    """Where the blob of a hash is below the folder of all blobs; text, for the path of a load."""
    return f"{blobs}/{sha256[:2]}/{sha256[2:]}"


class StoreLayout(Struct, frozen=True):
    """The paths in a store; making one touches nothing.

    Attributes:
        root: the store's folder.
    """

    root: Path

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def new(self) -> Path:
        return self.root / "new"

    @property
    def blobs(self) -> Path:
        return self.root / "blobs"

    @property
    def trees(self) -> Path:
        return self.root / "trees"

    @property
    def pins(self) -> Path:
        return self.root / "pins"

    def blob(self, sha256: str) -> Path:
        return Path(blob_path(str(self.blobs), sha256))

    def tree(self, digest: str) -> Path:
        return self.trees / digest

    def pin(self, digest: str) -> Path:
        return self.pins / digest

    def digests(self) -> Iterator[str]:
        """Of every tree that is there."""
        yield from (name for name in _names(self.trees) if _DIGEST.fullmatch(name))

    def hashes(self) -> Iterator[str]:
        """Of every blob that is there."""
        for start in _names(self.blobs):
            yield from (
                start + rest
                for rest in _names(self.blobs / start)
                if _DIGEST.fullmatch(start + rest)
            )


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
