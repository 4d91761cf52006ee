"""What of the machine's files every host sees: the system's, Python's, and what that imports."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator

from msgspec import Struct

from nebula_lab.environments.environment import Environment, library_folders
from nebula_lab.environments.import_folders import (
    ImportFolder,
    ImportFolders,
    libraries_in,
    without,
)

# Of the system's files, those that programs and libraries read wherever they run.
_SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
)
_OF_NETWORKS = (
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/pki",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ca-certificates",
)


class _Installed(Struct, frozen=True):
    """What the environment says while nothing in it is installed or removed.

    Attributes:
        at: see `Environment.installed_at`.
        python_path: the variable PYTHONPATH.
        whole: folders that are shown as they are.
        import_paths: those that are imported from and lie elsewhere.
    """

    at: tuple[int, ...]
    python_path: str
    whole: tuple[str, ...]
    import_paths: tuple[str, ...]


class VisibleFiles:
    """Of one manager.

    Args:
        environment: the Python that hosts run in.
        own: real paths of folders of ours that no plugin sees.
        plugins: those of folders of plugins, which a plugin sees if it sees all files.
    """

    def __init__(
        self, environment: Environment, own: Collection[str], plugins: Collection[str]
    ) -> None:
        self.own = tuple(own)
        self.hidden = tuple(dict.fromkeys((*own, *plugins)))
        self._environment = environment
        self._folders = ImportFolders(self.hidden)
        self._installed: _Installed | None = None

    def python_path(self, given: str) -> str:
        """What counts of the variable PYTHONPATH: nothing, where a plugin chose the environment."""
        return "" if self._environment.is_chosen else given

    def import_folders(self, python_path: str) -> tuple[ImportFolder, ...]:
        """The folders that are imported from besides the environment's own; see `ImportFolder`.

        Args:
            python_path: the variable PYTHONPATH of hosts.
        """
        return tuple(map(self._folders.look, self._now(python_path).import_paths))

    def readable(self, python_path: str, *, networks: bool) -> tuple[str, ...]:
        """What a host may read.

        Args:
            python_path: its variable PYTHONPATH.
            networks: whether it reaches networks by itself.
        """
        whole = self._now(python_path).whole
        imported = (one for found in self.import_folders(python_path) for one in found.shown)
        loaded = (one for path in library_folders() for one in _libraries(path, whole))
        found = (*whole, *(_OF_NETWORKS if networks else ()), *imported, *loaded)
        return tuple(dict.fromkeys(found))

    def added(
        self, readable: tuple[str, ...], python_path: str
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """For a Landlock without a tree of files: what to read, and of which folders the names."""
        listed = (one for found in self.import_folders(python_path) for one in found.listed)
        return tuple(without(readable, self.hidden)), tuple(listed)

    def _now(self, python_path: str) -> _Installed:
        at, known = self._environment.installed_at(), self._installed
        if known is None or (known.at, known.python_path) != (at, python_path):
            known = self._installed = self._look(at, python_path)
        return known

    def _look(self, at: tuple[int, ...], python_path: str) -> _Installed:
        whole = (*_SYSTEM, *self._environment.folders())
        paths = self._environment.import_paths(python_path)
        elsewhere = tuple(path for path in paths if not _is_in(path, whole))
        return _Installed(at, python_path, whole, elsewhere)


def _libraries(path: str, whole: Collection[str]) -> Iterator[str]:
    with contextlib.suppress(OSError):  # it is not there
        if not _is_in(path, whole):
            yield from libraries_in(path)


def _is_in(path: str, folders: Collection[str]) -> bool:
    real = os.path.realpath(path) + "/"
    return any(real.startswith(f"{folder}/") for folder in folders)
