"""Which versions of a plugin have served, and are still in the content store.

    history/HASH    a line of JSON each time that another version was read from disk and came up;
                    HASH is of the plugin's id and where its source is; the same line goes to the
                    file for its id and the folder that the source is in

What is no longer in the store is not listed, so garbage collection needs to know nothing of this.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from nebula_lab.errors import StoreError
from nebula_lab.plugin.showing import mime_bundle, pretty_text
from nebula_lab.trust import locks
from nebula_lab.trust.contents import is_plain_path
from nebula_lab.trust.store import ContentStore

__all__ = ["StoredVersion", "StoredVersions", "VersionHistory"]

_log = logging.getLogger("nebula_lab")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LONGEST = 256 * 1024  # bytes of one plugin's history; then it is written anew
_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()  # a date that can still be shown
_KEPT = 200  # versions that are kept then


class StoredVersion(Struct, frozen=True):
    """A version of a plugin whose files are in the store.

    Attributes:
        at: when it was last read from disk and came up, in seconds since 1970.
        version: what its description says.
        digest: of its files, as `PluginFiles.digest`.
        description: the file among these that describes it; None where that is another one.
    """

    at: float
    version: str
    digest: str
    description: str | None = None

    @property
    def when(self) -> datetime:
        """`at`, with the local time zone."""
        return datetime.fromtimestamp(self.at, UTC).astimezone()

    @property
    def short_digest(self) -> str:
        """Enough of the digest to tell it from others."""
        return self.digest[:10]


class StoredVersions(tuple[StoredVersion, ...]):
    """The versions of one plugin, the newest first; a notebook shows them as a table.

    Attributes:
        plugin_id: the plugin.
        served: the digest of what was read last; None where nothing was.
    """

    plugin_id: str
    served: str | None

    def __new__(
        cls, plugin_id: str, versions: Iterable[StoredVersion], served: str | None
    ) -> StoredVersions:
        made = super().__new__(cls, versions)
        made.plugin_id, made.served = plugin_id, served
        return made

    _repr_mimebundle_ = mime_bundle
    _repr_pretty_ = pretty_text


class VersionHistory:
    """The histories of all plugins in one store.

    Args:
        store: has their files.
    """

    def __init__(self, store: ContentStore) -> None:
        self._store = store
        self._folder = store.root / "history"
        self._noted: dict[Path, str] = {}

    def note(self, plugin_id: str, source: Path, version: StoredVersion) -> None:
        """Note that a version came up that was read from disk now.

        What can't be written is logged and missing from the history; nothing fails because of it.
        """
        file = self._file(plugin_id, source)
        if self._noted.get(file) == version.digest:
            return
        try:
            with self._writing():
                for one in (file, self._file(plugin_id, source.parent)):
                    newest = next(iter(self._read(one)), None)
                    if newest is None or newest.digest != version.digest:
                        self._append(one, version)
            self._noted[file] = version.digest
        except (OSError, StoreError) as error:
            _log.warning("%s: its history can't be kept: %s", plugin_id, error)

    def versions(self, plugin_id: str, source: Path) -> tuple[StoredVersion, ...]:
        """The versions that are still in the store, the one that came up last first.

        Args:
            plugin_id: the plugin.
            source: where it is; or the folder that it is in, for all that came up from there.
        """
        noted = _last_of_each(self._read(self._file(plugin_id, source)))
        return tuple(version for version in noted if self._is_there(version))

    def _file(self, plugin_id: str, source: Path) -> Path:
        key = f"{plugin_id}\0{os.path.realpath(source)}".encode(errors="surrogateescape")
        return self._folder / sha256(key).hexdigest()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locks.exclusive(self._folder / "lock"):
            yield

    def _append(self, file: Path, version: StoredVersion) -> None:
        line = msgspec.json.encode(version) + b"\n"
        with contextlib.suppress(FileNotFoundError):
            if file.stat().st_size > _LONGEST:
                self._write_anew(file)
            if not file.read_bytes().endswith(b"\n"):  # a full disk took a part of the last one
                line = b"\n" + line
        with file.open("ab") as end:
            end.write(line)

    def _write_anew(self, file: Path) -> None:
        """Leave out all but the last of each version, and the oldest."""
        kept = _last_of_each(self._read(file))[:_KEPT]
        temporary = file.with_name(f"new-{secrets.token_hex(8)}")
        lines = b"".join(msgspec.json.encode(one) + b"\n" for one in reversed(kept))
        try:
            temporary.write_bytes(lines)
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)

    def _read(self, file: Path) -> Iterable[StoredVersion]:
        """All that is noted, the newest first; damaged lines are passed over."""
        try:
            lines = file.read_bytes().splitlines()
        except FileNotFoundError:
            return
        for line in reversed(lines):
            with contextlib.suppress(msgspec.MsgspecError, ValueError):
                version = msgspec.json.decode(line, type=StoredVersion)
                if _is_sound(version):
                    yield version

    def _is_there(self, version: StoredVersion) -> bool:
        try:
            self._store.tree(version.digest)
        except (StoreError, OSError):
            return False
        return True


def _last_of_each(newest_first: Iterable[StoredVersion]) -> list[StoredVersion]:
    found: dict[str, StoredVersion] = {}
    for version in newest_first:
        found.setdefault(version.digest, version)
    return list(found.values())


def _is_sound(version: StoredVersion) -> bool:
    path = version.description
    return (
        _DIGEST.fullmatch(version.digest) is not None
        and (path is None or is_plain_path(path))
        and 0 <= version.at < _LATEST  # whatever the clock says now: it may have been set back
    )
