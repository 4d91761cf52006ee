"""Which version of each plugin that was found is the one to work with."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from nebula_lab.discovery import DiscoveryResult
from nebula_lab.errors import ChoosingTimeoutError, NoVersionFitsError
from nebula_lab.model import (
    PluginConfig,
    PluginDescriptor,
    Problem,
    ProblemKind,
    SourceLocation,
    VersionReq,
)
from nebula_lab.model.lock import LockFile
from nebula_lab.model.release import Origin, Release

if TYPE_CHECKING:
    from nebula_lab.resolver.choosing import Choice

__all__ = ["ChosenVersions", "choose_versions"]


class ChosenVersions(Struct, frozen=True):
    """What came of a choice.

    Attributes:
        descriptors: one an id.
        problems: what could not be chosen and why; notes on what else is there.
    """

    descriptors: tuple[PluginDescriptor, ...]
    problems: tuple[Problem, ...] = ()


def choose_versions(
    found: DiscoveryResult,
    config: PluginConfig,
    lock: LockFile | None = None,
    running: Mapping[str, PluginDescriptor] | None = None,
) -> ChosenVersions:
    """Choose among the versions that a search has found.

    Where nothing can be chosen, because each plugin is there once and nothing is pinned, that is
    all there is to do. A plugin for which nothing fits is taken in its newest version, for the
    resolver to say what is wrong with it; but never in one that a pin rules out.

    Args:
        found: all versions.
        config: has pins.
        lock: its versions are preferred.
        running: what runs, by id: the version of these is settled.
    """
    if not (found.others or config.pins or lock):
        chosen = ChosenVersions(found.descriptors)
    else:
        chosen = _Chooser(found, config, lock, running or {}).chosen()
    if not found.elsewhere:
        return chosen
    notes = tuple(_from_store(one) for one in chosen.descriptors if _is_stored(one, found))
    return replace(chosen, problems=(*chosen.problems, *notes))


def _is_stored(descriptor: PluginDescriptor, found: DiscoveryResult) -> bool:
    release = found.elsewhere.get((descriptor.id, str(descriptor.version)))
    return release is not None and release.origin is Origin.STORE


def _from_store(descriptor: PluginDescriptor) -> Problem:
    return Problem(
        kind=ProblemKind.OTHER_VERSION,
        message=f"version {descriptor.version} is not in the folder any more: it is taken from "
        "the content store",
        plugin_id=descriptor.id,
        location=_location(descriptor),
        cure="A pin or the lock file asks for it. Change that to have what is in the folder.",
        severity="note",
    )


class _Chooser:
    """One choice among what was found."""

    def __init__(
        self,
        found: DiscoveryResult,
        config: PluginConfig,
        lock: LockFile | None,
        running: Mapping[str, PluginDescriptor],
    ) -> None:
        self._found = found
        self._newest = {one.id: one for one in found.descriptors}
        self._config = config
        self._lock = lock or LockFile()
        self._known: dict[str, dict[str, PluginDescriptor]] = {}
        for one in (*found.descriptors, *found.others):
            self._known.setdefault(one.id, {})[str(one.version)] = one
            if self._is_named(one.id):  # it may be there in withdrawn versions alone
                self._newest.setdefault(one.id, one)
        self._all = {plugin_id: dict(known) for plugin_id, known in self._known.items()}
        for plugin_id, descriptor in running.items():
            self._known[plugin_id] = {str(descriptor.version): descriptor}
            self._newest.setdefault(plugin_id, descriptor)
        self._running = running

    def chosen(self) -> ChosenVersions:
        try:
            choice = self._choice()
        except ChoosingTimeoutError as error:
            return self._unchosen(error)
        chosen = {
            plugin_id: self._known[plugin_id][str(release.version)]
            for plugin_id, release in choice.releases.items()
        }
        for plugin_id in choice.left_out:
            if not self._is_ruled_out(plugin_id):
                chosen[plugin_id] = self._running.get(plugin_id, self._newest[plugin_id])
        problems = [
            *(_left_out(error) for error in choice.left_out.values() if error.had_choice),
            *self._departures(chosen, choice.departures),
            *self._others(chosen),
        ]
        order = [plugin_id for plugin_id in self._newest if plugin_id in chosen]
        return ChosenVersions(tuple(chosen[one] for one in order), tuple(problems))

    def _choice(self) -> Choice:
        from nebula_lab.resolver.choosing import Want, choose

        ordered = sorted(self._newest.values(), key=lambda one: (-one.metadata.priority, one.id))
        return choose(
            [Want(one.id, by="the folder that it is in", required=False) for one in ordered],
            self._releases_of,
            pins=self._pins(),
            locked={one.id: one.as_version for one in self._lock.plugins},
            patience=self._config.choosing_timeout,
        )

    def _unchosen(self, error: ChoosingTimeoutError) -> ChosenVersions:
        """The newest of each, so that what goes together anyway can be used all the same."""
        newest = {
            plugin_id: self._running.get(plugin_id, descriptor)
            for plugin_id, descriptor in self._newest.items()
            if not self._is_ruled_out(plugin_id)
        }
        for plugin_id, pin in self._pins().items():
            fitting = [
                one for one in self._known.get(plugin_id, {}).values() if pin.matches(one.version)
            ]
            if fitting:
                newest[plugin_id] = max(fitting, key=lambda one: one.version)
        problem = Problem(
            kind=ProblemKind.NO_VERSION_FITS,
            message=f"The newest version of each plugin is taken: {error.message}",
            cure=error.hint or "",
        )
        return ChosenVersions(tuple(newest.values()), (problem,))

    def _releases_of(self, plugin_id: str) -> Iterator[Release]:
        return map(self._found.release_of, self._known.get(plugin_id, {}).values())

    def _is_named(self, plugin_id: str) -> bool:
        return plugin_id in self._config.pins or self._lock.plugin(plugin_id) is not None

    def _pins(self) -> Mapping[str, VersionReq]:
        return {
            plugin_id: pin
            for plugin_id, pin in self._config.pins.items()
            if plugin_id not in self._running
        }

    def _is_ruled_out(self, plugin_id: str) -> bool:
        pin = self._config.pins.get(plugin_id)
        if pin is None or plugin_id in self._running:
            return False
        return not any(pin.matches(one.version) for one in self._known[plugin_id].values())

    def _departures(
        self, chosen: Mapping[str, PluginDescriptor], departures: Collection[str]
    ) -> Iterator[Problem]:
        for plugin_id in sorted(departures):
            locked, used = self._lock.plugin(plugin_id), chosen[plugin_id]
            assert locked is not None, "only what is locked can be departed from"
            yield Problem(
                kind=ProblemKind.LOCK,
                message=f"version {locked.version} is locked, but version {used.version} is used",
                plugin_id=plugin_id,
                location=_location(used),
                cure=f"`nebula-lab lock --upgrade {plugin_id}` locks version {used.version}.",
                severity="note",
            )

    def _others(self, chosen: Mapping[str, PluginDescriptor]) -> Iterator[Problem]:
        for plugin_id, versions in self._all.items():
            used = chosen.get(plugin_id)
            if used is None:
                continue
            for version, other in versions.items():
                # That a registry has other versions goes without saying.
                is_here = (plugin_id, version) not in self._found.elsewhere
                if is_here and version != str(used.version):
                    yield Problem(
                        kind=ProblemKind.OTHER_VERSION,
                        message=f"version {version} is here too; version {used.version} is used",
                        plugin_id=plugin_id,
                        location=_location(other),
                        cure=f"`nebula-lab why {plugin_id}` says why.",
                        severity="note",
                    )


def _left_out(error: NoVersionFitsError) -> Problem:
    location = SourceLocation(Path(error.path), error.line) if error.path is not None else None
    return Problem(
        kind=ProblemKind.NO_VERSION_FITS,
        message="\n  ".join((error.message, *error.reasons)),
        plugin_id=error.plugin_id,
        location=location,
        cure="\n  ".join(error.cures),
        existing=str(error.existing),
        requested=str(error.requested),
    )


def _location(descriptor: PluginDescriptor) -> SourceLocation:
    return descriptor.declared_in or SourceLocation(descriptor.path)
