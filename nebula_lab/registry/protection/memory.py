"""What is remembered of a registry from one visit to the next."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import msgspec

from nebula_lab.errors import ConfigError, RegistryError
from nebula_lab.registry.protection.continuity import Offered
from nebula_lab.trust.layout import default_root

__all__ = ["RegistryMemory", "read_root"]

_LARGEST_ROOT = 2**20


class RegistryMemory:
    """The folder with what this user knows of one registry.

    Args:
        url: the registry.
        base: the folder of all of them; without, in that of the content store, which no plugin
            gets to see.

    Attributes:
        folder: where it is; made when something is to be remembered.
    """

    def __init__(self, url: str, base: Path | None = None) -> None:
        name = sha256(url.rstrip("/").encode()).hexdigest()[:32]
        self.url = url
        self.folder = (base or default_root() / "trusted-registries") / name

    @property
    def lock_file(self) -> Path:
        return self.folder / "lock"

    @property
    def metadata(self) -> Path:
        return self.folder / "metadata"

    @property
    def root(self) -> bytes | None:
        """The signed root that the user said to trust."""
        return _content(self.folder / "trusted-root.json")

    def trust(self, root: bytes) -> None:
        """Remember a root to trust from now on."""
        _write(self.folder / "url", f"{self.url}\n".encode())  # for people who look in here
        _write(self.folder / "trusted-root.json", root)

    def forget(self) -> None:
        """Know nothing of the registry any more: neither its keys nor what it offered."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.folder)

    @property
    def asked(self) -> datetime | None:
        """When the registry was last asked, with the local time zone."""
        try:
            when = self._asked.stat().st_mtime
        except FileNotFoundError:
            return None
        return datetime.fromtimestamp(when, UTC).astimezone()

    def note_asked(self) -> None:
        """Remember that the registry was asked now."""
        _write(self._asked, b"")

    def seen(self, plugin_id: str) -> dict[str, Offered]:
        """The versions of a plugin that the registry offered last.

        Raises:
            RegistryError: what is remembered has been damaged.
        """
        content = _content(self._seen(plugin_id))
        if content is None:
            return {}
        try:
            return msgspec.json.decode(content, type=dict[str, Offered])
        except msgspec.MsgspecError as error:
            raise RegistryError(
                "what is remembered of it has been damaged",
                plugin_id=plugin_id,
                path=self._seen(plugin_id),
                hint="Check the disk, then remove the file: what the registry says now is "
                "remembered in its place.",
            ) from error

    def seen_plugins(self) -> list[str]:
        """The ids of the plugins of which something is remembered."""
        return sorted(path.stem for path in (self.folder / "seen").glob("[!.]*.json"))

    def remember(self, plugin_id: str, versions: Mapping[str, Offered]) -> None:
        """Remember what the registry offers of a plugin."""
        _write(self._seen(plugin_id), msgspec.json.encode(versions))

    def document(self, path: str) -> bytes | None:
        """A document as it was last time; it still has to be checked."""
        return _content(self._document(path))

    def keep_document(self, path: str, content: bytes) -> None:
        _write(self._document(path), content)

    @property
    def _asked(self) -> Path:
        return self.folder / "asked"

    def _seen(self, plugin_id: str) -> Path:
        return self.folder / "seen" / f"{plugin_id}.json"

    def _document(self, path: str) -> Path:
        return self.folder / "documents" / path.replace("/", "%")


def read_root(path: Path) -> bytes:
    """The signed root in a file that a configuration names.

    Raises:
        ConfigError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_ROOT)
    except OSError as error:
        raise ConfigError(
            f"the root of the registry can't be read: {error.strerror or error}",
            path=path,
            hint="It is the file metadata/1.root.json of the registry, or a later one, from "
            "somebody whom you trust.",
        ) from error


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(path: Path, content: bytes) -> None:
    """Write a file at once, in place of what is there: others may be reading it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)  # noqa: PTH105 - the name says what is meant
    finally:
        temporary.unlink(missing_ok=True)
