"""What registries said last, and archives that have come, on this machine's disk.

    REGISTRY/NAME               a document: a line of JSON about it, then its bytes
    archives/ab/SHA256.zip      an archive, under its hash; of all registries together
    archives/partial/SHA256     the beginning of one, which is continued

Any number of processes may use it at a time, and any of them may be killed at any moment: what has
its name is whole, and what is not whole is not believed. It lies in the folder of the content
store, which no plugin gets to see.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import msgspec
from msgspec import Struct

from nebula_lab.errors import RegistryError
from nebula_lab.trust.layout import default_root

__all__ = ["Kept", "RegistryCache", "cache_errors", "written_anew"]

_MONTH = 30 * 24 * 3600.0  # seconds


class _About(Struct, frozen=True):
    """What is known of a document beside its content."""

    sha256: str
    at: float
    etag: str = ""
    modified: str = ""


class Kept(Struct, frozen=True):
    """A document as it was once.

    Attributes:
        content: its bytes.
        at: when the registry last said that it is so, in seconds since 1970.
        etag: what the registry calls it; "" if nothing.
        modified: when it was changed, in the registry's words; "" if it does not say.
    """

    content: bytes
    at: float
    etag: str = ""
    modified: str = ""

    @property
    def sha256(self) -> str:
        return sha256(self.content).hexdigest()

    @property
    def when(self) -> datetime:
        """`at`, with the local time zone."""
        return datetime.fromtimestamp(self.at, UTC).astimezone()


class RegistryCache:
    """The part of the cache for one registry.

    Args:
        url: the registry.
        root: the cache's folder; that of the user without.
    """

    def __init__(self, url: str, root: Path | None = None) -> None:
        self._root = root or default_root() / "registries"
        self._folder = self._root / sha256(url.encode()).hexdigest()[:32]

    def document(self, path: str) -> Kept | None:
        """A document as it was last; None if nothing whole is kept."""
        try:
            line, _, content = self._file(path).read_bytes().partition(b"\n")
            about = msgspec.json.decode(line, type=_About)
        except (OSError, msgspec.MsgspecError):
            return None
        if sha256(content).hexdigest() != about.sha256:
            return None
        return Kept(content, about.at, about.etag, about.modified)

    def keep(self, path: str, kept: Kept) -> None:
        """Remember a document. Where that can't be, it is asked for again the next time."""
        about = _About(kept.sha256, kept.at, kept.etag, kept.modified)
        with contextlib.suppress(OSError):
            written_anew(self._file(path), msgspec.json.encode(about) + b"\n" + kept.content)

    def forget(self, path: str) -> None:
        """Remember nothing of a document that is gone."""
        with contextlib.suppress(OSError):
            self._file(path).unlink(missing_ok=True)

    def archive(self, digest: str) -> Path:
        """Where the archive with that hash is, or would be."""
        return self._root / "archives" / digest[:2] / f"{digest}.zip"

    def partial(self, digest: str) -> Path:
        """Where the beginning of that archive is, or would be; its folder is made.

        Raises:
            RegistryError: it can't be made.
        """
        folder = self._root / "archives" / "partial"
        with cache_errors(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder / digest

    def tidy(self) -> None:
        """Remove archives, and beginnings of some, that came more than a month ago."""
        for file in self._root.glob("archives/*/*"):
            with contextlib.suppress(OSError):
                if time.time() - file.stat().st_mtime > _MONTH:
                    file.unlink()

    def _file(self, path: str) -> Path:
        return self._folder / quote(path, safe="")


@contextlib.contextmanager
def cache_errors(place: Path) -> Iterator[None]:
    """Say in our own words why the cache can't be written."""
    try:
        yield
    except OSError as error:
        raise RegistryError(
            f"what comes from registries can't be kept: {error.strerror or error}",
            path=place,
            hint="Make room there, or set NEBULA_LAB_HOME to a folder that has some.",
        ) from error


def written_anew(path: Path, content: bytes) -> None:
    """Write a file under another name, and give it its own at once."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"new-{secrets.token_hex(8)}")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)  # noqa: PTH105
    finally:
        temporary.unlink(missing_ok=True)
