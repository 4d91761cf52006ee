"""Where things are in the folder of a registry, and who may change them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from nebula_lab.errors import ConfigError
from nebula_lab.registry.format.coding import encoded
from nebula_lab.registry.format.documents import FORMAT, Index
from nebula_lab.registry.format.paths import INDEX
from nebula_lab.registry.publishing.changes import Change, finish_change
from nebula_lab.trust import locks

__all__ = ["RegistryFolder", "is_document"]

_PLUGINS = "plugins"


def is_document(path: str) -> bool:
    """Whether a path is that of the index or of a plugin: what is signed."""
    folder, _, name = path.rpartition("/")
    return path == INDEX or (folder == _PLUGINS and name.endswith(".json"))


class RegistryFolder(Struct, frozen=True):
    """The folder of a registry; making one touches nothing.

    Attributes:
        root: the folder.
    """

    root: Path

    @property
    def private(self) -> Path:
        """What is nobody else's business: the lock, changes under way, uploads that come in."""
        return self.root / ".registry"

    @property
    def metadata(self) -> Path:
        return self.root / "metadata"

    @property
    def incoming(self) -> Path:
        return self.private / "incoming"

    @property
    def lock_file(self) -> Path:
        return self.private / "lock"

    def begin(self) -> bool:
        """Begin an empty registry where there is none; whether there was none.

        Raises:
            ConfigError: there is something else in the folder, or it can't be made.
        """
        if (self.root / INDEX).exists():
            return False
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            if any(not entry.name.startswith(".") for entry in self.root.iterdir()):
                raise ConfigError(
                    f"has files in it, and no {INDEX}: it is no registry",
                    path=self.root,
                    hint="Name an empty folder, or make one of plugins with "
                    "`nebula-lab registry build`.",
                )
            with self.changing() as change:
                change.put(INDEX, encoded(Index(FORMAT)))
        except OSError as error:
            raise ConfigError(
                f"can't be made a registry: {error.strerror or error}", path=self.root
            ) from error
        return True

    def documents(self) -> dict[str, bytes]:
        """The index and what is said of each plugin, by path.

        Raises:
            ConfigError: the folder is no registry.
        """
        try:
            found = {INDEX: (self.root / INDEX).read_bytes()}
        except OSError as error:
            raise ConfigError(
                f"is not the folder of a registry: {INDEX}: {error.strerror or error}",
                path=self.root,
                hint="Make one with `nebula-lab registry build` or `nebula-lab registry init`.",
            ) from error
        for path in sorted((self.root / _PLUGINS).glob("*.json")):
            found[f"{_PLUGINS}/{path.name}"] = path.read_bytes()
        return found

    @contextmanager
    def changing(self) -> Iterator[Change]:
        """Change the folder, alone; a change that was cut off before is finished first.

        What is put into the change is there at once, or not at all, when the block ends well.

        Raises:
            StoreError: another process has held the lock for too long.
            UnfinishedChangeError: it has happened, and is not in its place as a whole yet.
            OSError: the folder can't be written.
        """
        self.private.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locks.exclusive(self.lock_file, f"the registry in {self.root}"):
            finish_change(self.root, self.private)
            change = Change(self.root, self.private)
            try:
                yield change
            except BaseException:
                change.abandon()
                raise
            change.commit()
