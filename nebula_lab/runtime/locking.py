"""Locking the plugins of a manager, and holding them to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from nebula_lab.discovery import DiscoveryResult
from nebula_lab.errors import LockError, LockMismatchError, NotFoundError, StoreError
from nebula_lab.model import PluginConfig, PluginDescriptor, Problem
from nebula_lab.model.lock import LockedPlugin, LockFile, read_lock
from nebula_lab.model.release import Origin, Release
from nebula_lab.resolver import PluginRegistry
from nebula_lab.runtime.choosing import choose_versions
from nebula_lab.runtime.discoverers import discoverer_for
from nebula_lab.runtime.lock_writing import changes_between, write_lock

if TYPE_CHECKING:
    from nebula_lab.trust.contents import CollectedPlugin

__all__ = [
    "HeldToLock",
    "Relocked",
    "held_to_lock",
    "lock_of",
    "preferred_lock",
    "relock",
    "write_lock",
]

_CURE = "Put back what was locked, or lock what is here: nebula-lab lock --upgrade"


class HeldToLock:
    """Lets nothing run but what a lock file names.

    Args:
        lock: what it says.
        path: where it is, for errors.
    """

    def __init__(self, lock: LockFile, path: Path) -> None:
        self.lock = lock
        self._path = path

    def restricted(self, found: DiscoveryResult) -> DiscoveryResult:
        """The locked versions among what was found.

        Raises:
            LockMismatchError: one is missing, has other files, or there is a plugin that is not
                locked; every such difference is named.
        """
        known = {(one.id, str(one.version)): one for one in (*found.descriptors, *found.others)}
        differences = [*self._missing(known), *self._unlocked(found)]
        kept = [known[key] for one in self.lock.plugins if (key := (one.id, one.version)) in known]
        differences += [text for one in kept if (text := self._difference(one, found))]
        if differences:
            raise self._mismatch(differences)
        return DiscoveryResult(tuple(kept), found.problems, elsewhere=found.elsewhere)

    def require(self, collected: CollectedPlugin) -> None:
        """Refuse files that are not those that were locked.

        Raises:
            LockMismatchError: they are others.
        """
        locked = self.lock.plugin(collected.plugin_id)
        if locked is None:
            difference = f"{collected.plugin_id} is not locked."
        elif locked.digest != collected.files.digest:
            difference = _other_files(locked)
        else:
            return
        raise self._mismatch([difference], collected.plugin_id)

    def _missing(self, known: Mapping[tuple[str, str], PluginDescriptor]) -> Iterator[str]:
        for one in self.lock.plugins:
            here = [version for plugin_id, version in known if plugin_id == one.id]
            if one.version not in here:
                instead = f"; here is {', '.join(sorted(here))}" if here else ""
                yield (
                    f"{one.id} {one.version} is locked and is not here, nor are its files in the "
                    f"content store{instead}."
                )

    def _unlocked(self, found: DiscoveryResult) -> Iterator[str]:
        for one in found.descriptors:
            # What a registry has besides is not here.
            is_here = (one.id, str(one.version)) not in found.elsewhere
            if is_here and self.lock.plugin(one.id) is None:
                yield f"{one.id} {one.version} is here ({one.path}) and is not locked."

    def _difference(self, descriptor: PluginDescriptor, found: DiscoveryResult) -> str:
        locked = self.lock.plugin(descriptor.id)
        assert locked is not None, "only what is locked is kept"
        try:
            digest = _digest_of(descriptor, found.release_of(descriptor))
        except StoreError as error:
            return f"{descriptor.id}: {error.message}."
        return "" if digest == locked.digest else _other_files(locked)

    def _mismatch(self, differences: list[str], plugin_id: str = "") -> LockMismatchError:
        hint = f"{_CURE}{f' {plugin_id}' if plugin_id else ''}."
        return LockMismatchError(differences, path=self._path, hint=hint, plugin_id=plugin_id)


def held_to_lock(config: PluginConfig) -> HeldToLock | None:
    """What a configuration with `lock: locked` holds plugins to; None for another.

    Raises:
        LockError: there is no lock file, or it can't be read.
    """
    if config.lock != "locked":
        return None
    path = config.lock_path
    lock = None if path is None else read_lock(path)
    if path is None or lock is None:
        raise LockError(
            "the plugins are to be as they were locked, but there is no lock file",
            path=path,
            hint="Make one: nebula-lab lock.",
        )
    return HeldToLock(lock, path)


def preferred_lock(config: PluginConfig) -> LockFile | None:
    """The lock file whose versions are to be preferred; None where there is none."""
    path = config.lock_path
    return None if path is None or config.lock == "ignore" else read_lock(path)


def lock_of(
    found: DiscoveryResult,
    config: PluginConfig,
    previous: LockFile,
    upgrade: Collection[str] | None = (),
) -> LockFile:
    """The lock for what a search has found.

    Args:
        found: all versions.
        config: has pins.
        previous: keeps what it has, where that still fits.
        upgrade: the plugins that are chosen anew; None for all of them.

    Raises:
        StoreError: the files of one can't be read.
        EnvironmentFailedError: there is no choice of packages for one of them.
    """
    kept = [] if upgrade is None else [one for one in previous.plugins if one.id not in upgrade]
    chosen = choose_versions(found, config, previous.with_plugins(kept)).descriptors
    registry = PluginRegistry()
    for descriptor in chosen:
        registry.register(descriptor)
    needs = registry.resolve_dependencies().dependencies
    locked = previous.with_plugins(
        _locked(one, found.release_of(one), needs.get(one.id, ())) for one in chosen
    )
    from nebula_lab.runtime.environment_locks import with_environments

    anew: bool | Collection[str] = True if upgrade is None else upgrade
    return with_environments(locked, chosen, anew=anew, python=config.python)


def _locked(
    descriptor: PluginDescriptor, release: Release, dependencies: Iterable[str]
) -> LockedPlugin:
    is_elsewhere = release.origin is Origin.REGISTRY
    return LockedPlugin(
        id=descriptor.id,
        version=str(descriptor.version),
        origin=release.origin,
        digest=_digest_of(descriptor, release),
        archive=release.archive,
        place=release.place if is_elsewhere else None,
        dependencies=tuple(sorted(dependencies)),
    )


def _digest_of(descriptor: PluginDescriptor, release: Release) -> str:
    """Of a plugin's files: as its registry says, which they are held to, or as they are here."""
    from nebula_lab.trust.collecting import collect

    return release.digest or collect(descriptor).files.digest


class Relocked(Struct, frozen=True):
    """What came of locking.

    Attributes:
        path: the lock file.
        changes: one line for each plugin that is locked otherwise now; none if all is as before.
        left_out: what was found and can't be locked, as it can't be read or used.
        is_empty: whether nothing is locked, because there are no plugins.
    """

    path: Path
    changes: tuple[str, ...]
    left_out: tuple[Problem, ...] = ()
    is_empty: bool = False

    @property
    def is_current(self) -> bool:
        """Whether the lock file says what is here, and all that is here."""
        return not self.changes and not self.left_out


def relock(
    config: PluginConfig, upgrade: Collection[str] | None = (), *, write: bool = True
) -> Relocked:
    """Lock the plugins that a configuration finds, as they are on disk now.

    Args:
        config: says where the plugins and the lock file are.
        upgrade: the plugins that are chosen anew; None for all of them.
        write: without, only say what would change.

    Raises:
        LockError: there is no place for the file, or it can't be read or written.
        DiscoveryError: the place to look for plugins is not there.
        NotFoundError: one to be upgraded is not there.
        EnvironmentFailedError: there is no choice of packages for one that asks for some.
    """
    path = config.lock_path
    if path is None:
        raise LockError(
            "there is no place for a lock file: neither a configuration file nor a plugin folder",
            hint="Set lock_file in the configuration.",
        )
    before = read_lock(path)
    from nebula_lab.runtime.storeroom import Storeroom
    from nebula_lab.trust.store import ContentStore

    found = Storeroom(ContentStore()).offered(discoverer_for(config).discover(), config.pins)
    known = {one.id for one in found.descriptors}
    for plugin_id in upgrade or ():
        if plugin_id not in known:
            raise NotFoundError(plugin_id, known=known)
    after = lock_of(found, config, before or LockFile(), upgrade)
    changes = tuple(changes_between(before or LockFile(), after))
    if write:
        write_lock(after, path)
    left_out = tuple(one for one in found.problems if one.severity == "error")
    return Relocked(path, changes, left_out, is_empty=not after.plugins)


def _other_files(locked: LockedPlugin) -> str:
    return f"{locked.id} {locked.version} has other files than when it was locked."
