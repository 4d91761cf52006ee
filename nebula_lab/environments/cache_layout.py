"""Where environments are kept that plugins ask for."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

__all__ = ["CacheLayout", "cache_root", "uv_cache_root"]


def cache_root() -> Path:
    """The folder of all environments of a user's plugins.

    It is a cache: whatever is in it can be had again, so it is not with the content store.
    """
    if home := os.environ.get("NEBULA_LAB_HOME"):
        return Path(home).expanduser() / "environments"
    return _caches() / "nebula-lab" / "environments"


def uv_cache_root() -> Path:
    """uv's own cache, unless a file of its settings moves it.

    Environments have hard links to it: who could write there could change another plugin's.
    """
    given = os.environ.get("UV_CACHE_DIR")
    return Path(given).expanduser() if given else _caches() / "uv"


def _caches() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME")
    # The specification says that a relative one is to be ignored.
    return Path(cache) if cache and Path(cache).is_absolute() else Path.home() / ".cache"


class CacheLayout(Struct, frozen=True):
    """The paths in it; making one touches nothing.

    Attributes:
        root: the folder of all.
    """

    root: Path

    @property
    def built(self) -> Path:
        """An environment a folder, by its key; whatever is in here is whole."""
        return self.root / "built"

    @property
    def new(self) -> Path:
        """What is being built, or was when its builder was killed."""
        return self.root / "new"

    @property
    def agents(self) -> Path:
        """Copies of our package for hosts, by their digest."""
        return self.root / "agents"

    @property
    def bytecode(self) -> Path:
        """Compiled sources, by the hash of their text."""
        return self.root / "bytecode"

    @property
    def answers(self) -> Path:
        """What the resolver chose, by the question."""
        return self.root / "answers"

    @property
    def wheels(self) -> Path:
        """What was built from source, each in a folder by the hash of that and its Python."""
        return self.root / "wheels"

    @property
    def users(self) -> Path:
        """A note for each plugin that was given an environment; see `EnvironmentUser`."""
        return self.root / "users"

    def lock(self, key: str) -> Path:
        """Held alone by who builds or removes an environment, and shared by who uses it."""
        return self.root / "locks" / key

    def environment(self, key: str) -> Path:
        return self.built / key

    def answer(self, key: str) -> Path:
        return self.answers / f"{key}.json"
