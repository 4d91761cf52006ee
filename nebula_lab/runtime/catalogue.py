"""Which plugins there are: what was found, what was chosen, and what is wrong with the rest."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nebula_lab.discovery import DiscoveryResult, read_descriptor
from nebula_lab.errors import LoadFailedError, NotFoundError, PluginError
from nebula_lab.model import (
    FileSystem,
    PluginConfig,
    PluginDescriptor,
    PluginInfo,
    PluginState,
    Problem,
    ProblemKind,
    SandboxMode,
)
from nebula_lab.model.sandbox_choice import mode_for
from nebula_lab.resolver import PluginRegistry, Resolution
from nebula_lab.runtime.choosing import ChosenVersions, choose_versions
from nebula_lab.runtime.discoverers import Progress, collector_of, discoverer_for
from nebula_lab.runtime.kept_states import KeptStates
from nebula_lab.runtime.locking import held_to_lock, preferred_lock
from nebula_lab.runtime.record import PluginRecord
from nebula_lab.trust.contents import CollectedPlugin

if TYPE_CHECKING:
    from nebula_lab.runtime.reasons import VersionReasons
    from nebula_lab.runtime.storeroom import Storeroom
    from nebula_lab.trust.store import ContentStore

OnState = Callable[[PluginRecord, PluginState, PluginState, str], None]


class Catalogue:
    """The registry and a record for each plugin in it.

    Args:
        config: where to look.
        on_state: see `PluginRecord`.
        progress: is told how far what comes from elsewhere is.
        store: gives what has versions that may be pinned or locked, and are not where plugins are
            looked for.
    """

    def __init__(
        self,
        config: PluginConfig,
        on_state: OnState,
        progress: Progress = lambda label, done, total, unit: None,
        store: Callable[[], ContentStore] | None = None,
    ) -> None:
        self._config = config
        self._on_state = on_state
        self._lock = threading.Lock()
        self._discoverer = discoverer_for(config, progress)
        self._store = store
        self._storeroom: Storeroom | None = None
        self._collect = collector_of(self._discoverer)
        self.held = held_to_lock(config)
        self.lock_file = preferred_lock(config)
        self._registry = PluginRegistry()
        self._records: dict[str, PluginRecord] = {}
        self._found: tuple[Problem, ...] = ()
        self._places: dict[str, Path] = {}
        self._known = DiscoveryResult()
        self.kept_states = KeptStates()
        self.discover()

    @property
    def registry(self) -> PluginRegistry:
        return self._registry

    @property
    def resolution(self) -> Resolution:
        return self._registry.resolve_dependencies()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was left out and why, first of discovery and then of resolution; then notes."""
        asking = [one.descriptor for one in self if not one.descriptor.security.is_empty]
        rights = _notes_on_rights(asking, self._config) if asking else ()
        explained = {
            one.plugin_id for one in self._found if one.kind == ProblemKind.NO_VERSION_FITS
        }
        resolved = [
            one
            for one in self.resolution.problems
            if one.kind != ProblemKind.VERSION_MISMATCH or one.plugin_id not in explained
        ]
        listed = [*self._found, *resolved, *self.resolution.notes, *rights]
        return tuple(sorted(listed, key=lambda problem: problem.severity == "note"))

    def discover(self) -> DiscoveryResult:
        """Look again. Plugins that are gone stay while they are loaded.

        Returns:
            What is on disk: of what runs, the version that is where it was loaded from, if there
            is one still; of others, the version that was chosen.
        """
        result = self._search()
        with self._lock:
            registry = PluginRegistry()
            # What runs keeps its descriptor until a reload proves the new one.
            running = {
                record.id: record.descriptor
                for record in self
                if record.state is not PluginState.DISCOVERED
            }
            chosen = choose_versions(result, self._config, self.lock_file, running)
            found = {one.id: one for one in chosen.descriptors} | running
            result = _on_disk(result, chosen, running)
            for descriptor in found.values():
                registry.register(descriptor)
            registry.resolve_dependencies()
            self._registry = registry
            self._found = result.problems
            self._places = {one.id: one.path for one in result.descriptors}
            self._records = {
                plugin_id: self._record_for(descriptor) for plugin_id, descriptor in found.items()
            }
        return result

    def _search(self) -> DiscoveryResult:
        """All versions that may be chosen."""
        found = self._discoverer.discover()
        locked = () if self.held is None else self.held.lock.plugins
        if self._config.pins or locked:
            found = self._stored().offered(found, self._config.pins, locked)
        self._known = found if self.held is None else self.held.restricted(found)
        return self._known

    def collect(self, descriptor: PluginDescriptor) -> CollectedPlugin:
        """The files of a plugin, from wherever it was found.

        Raises:
            StoreError: they can't be had.
        """
        kept = None if self._storeroom is None else self._storeroom.collect(descriptor)
        return kept or self._collect(descriptor)

    def _stored(self) -> Storeroom:
        if self._storeroom is None:
            from nebula_lab.runtime.storeroom import Storeroom
            from nebula_lab.trust.store import ContentStore

            self._storeroom = Storeroom(ContentStore() if self._store is None else self._store())
        return self._storeroom

    def version_reasons(self, plugin_id: str) -> VersionReasons:
        """Why a plugin is there in its version; as of the last search.

        Raises:
            NotFoundError: there is no such plugin.
        """
        from nebula_lab.runtime.reasons import reasons_for

        chosen = {record.id: record.descriptor for record in self}
        record = self.record(plugin_id)
        return reasons_for(chosen, record.id, self._known, self._config, self.lock_file)

    def _record_for(self, descriptor: PluginDescriptor) -> PluginRecord:
        record = self._records.get(descriptor.id)
        if record is None:
            record = PluginRecord(descriptor, self._config.queue_size, self._on_state)
        if record.descriptor is not descriptor:
            record.descriptor = record.as_read = descriptor
        if record.saved_state is None and record.state is PluginState.DISCOVERED:
            record.saved_state = self.kept_states.take(descriptor.id)
        return record

    def record(self, plugin_id: str) -> PluginRecord:
        """The record of a plugin.

        Raises:
            NotFoundError: there is none; the nearest ids are named, and what is wrong with one of
                that id that was found and left out.
        """
        record = self._records.get(plugin_id)
        if record is not None:
            return record
        for problem in self._found:
            if problem.plugin_id == plugin_id and problem.severity == "error":
                raise problem.to_error()
        raise NotFoundError(plugin_id, known=self._records)

    def __iter__(self) -> Iterator[PluginRecord]:
        return iter(list(self._records.values()))

    def __contains__(self, plugin_id: object) -> bool:
        return plugin_id in self._records

    def __len__(self) -> int:
        return len(self._records)

    def infos(self) -> Iterator[PluginInfo]:
        """A row for each plugin."""
        return map(self.info, self)

    def info(self, record: PluginRecord) -> PluginInfo:
        """The row of one plugin."""
        sandbox = mode_for(record.descriptor, self._config.security)
        rights: tuple[str, ...] = ()
        is_component = record.descriptor.is_component
        if sandbox is not SandboxMode.NONE or is_component:
            from nebula_lab.model.granted_rights import rights_of
            from nebula_lab.model.rights_in_words import in_short

            rights = in_short(rights_of(record.descriptor, self._config.security))
        return record.info(f"Wasm in {sandbox.value}" if is_component else sandbox.value, rights)

    def require_usable(self, plugin_id: str) -> None:
        """Refuse a plugin that the resolver left out.

        Raises:
            PluginError: the first reason why it was.
        """
        problem = self.resolution.excluded.get(plugin_id)
        if problem is not None:
            raise problem.to_error()

    def read_again(self, record: PluginRecord) -> PluginDescriptor:
        """The descriptor of a plugin as its files are now, whether it fits the others or not.

        Raises:
            PluginError: it can't be read, or is another plugin.
        """
        descriptor = self._read_again(record.descriptor)
        if descriptor.id != record.id:
            raise LoadFailedError(
                f"its file now describes the plugin {descriptor.id!r}",
                plugin_id=record.id,
                path=descriptor.declared_in.path if descriptor.declared_in else descriptor.path,
                hint="Give it its old id back, or load it under the new one.",
            )
        return descriptor

    def require_fit(self, *changes: tuple[PluginRecord, PluginDescriptor]) -> None:
        """Refuse descriptors with which their plugins, or dependents of them, can't be loaded.

        Raises:
            PluginError: why; those that refuse are named.
        """
        trial = self._registry.copy()
        for _, descriptor in changes:
            trial.replace(descriptor)
        resolution = trial.resolve_dependencies()
        for record, _ in changes:
            dependents = self.resolution.dependents(record.id, include_optional=False)
            for plugin_id in (record.id, *dependents):
                if plugin_id in resolution.excluded and plugin_id not in self.resolution.excluded:
                    raise resolution.excluded[plugin_id].to_error()

    def has_moved(self, record: PluginRecord) -> bool:
        """Whether the last search found a plugin elsewhere than where it was loaded from."""
        return self._places.get(record.id, record.descriptor.path) != record.descriptor.path

    def adopt(
        self,
        *changes: tuple[PluginRecord, PluginDescriptor],
        claim: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Let new descriptors take the old ones' places, all at once, if they still fit the others.

        Args:
            changes: plugins, and what is to be said of each.
            claim: asked once nothing but its answer is in the way.

        Returns:
            The answer of `claim`; nothing has changed where that is False.

        Raises:
            PluginError: another plugin has changed since they were read, and refuses one; nothing
                has changed.
        """
        with self._lock:  # so that of two that do not fit together one comes first
            self.require_fit(*changes)
            if not claim():
                return False
            registry = self._registry.copy()
            for _, descriptor in changes:
                registry.replace(descriptor)
            registry.resolve_dependencies()
            self._registry = registry
            for record, descriptor in changes:
                record.descriptor = descriptor
            return True

    def _read_again(self, descriptor: PluginDescriptor) -> PluginDescriptor:
        declaring = _declaring_file(descriptor)
        # What has been moved to another name since is looked for like a new plugin.
        if isinstance(self._config.discovery, FileSystem) and os.path.lexists(declaring):
            return read_descriptor(declaring)
        running = {one.id: one.descriptor for one in self if one.id != descriptor.id}
        chosen = choose_versions(self._search(), self._config, self.lock_file, running)
        for found in chosen.descriptors:
            if found.id == descriptor.id:
                return found
        raise PluginError(
            "it is no longer where plugins are looked for",
            plugin_id=descriptor.id,
            path=descriptor.path,
        )


def _notes_on_rights(
    asking: Iterable[PluginDescriptor], config: PluginConfig
) -> tuple[Problem, ...]:
    from nebula_lab.model.refusals import refusal_notes  # where a plugin asks for anything

    return tuple(note for descriptor in asking for note in refusal_notes(descriptor, config))


def _on_disk(
    result: DiscoveryResult,
    chosen: ChosenVersions,
    running: Mapping[str, PluginDescriptor],
) -> DiscoveryResult:
    """What a search found, one version a plugin, with what the choice had to say."""
    by_id = {one.id: one for one in result.descriptors if one.id in running}
    for one in (*result.others, *result.descriptors):
        if one.id in running and one.path == running[one.id].path:
            by_id[one.id] = one
    by_id |= {one.id: one for one in chosen.descriptors if one.id not in running}
    order = dict.fromkeys([one.id for one in result.descriptors])
    descriptors = tuple(by_id[plugin_id] for plugin_id in order if plugin_id in by_id)
    problems = (*result.problems, *chosen.problems)
    return DiscoveryResult(descriptors, problems, result.others, result.elsewhere)


def said_by(descriptor: PluginDescriptor) -> object:
    """What is said of a plugin, but for where that is written."""
    needs = [(one.plugin_id, one.version_req, one.optional) for one in descriptor.dependencies]
    fixed = {"declared_in", "rights_declared_in", "dependencies"}
    return descriptor.model_dump(exclude=fixed), needs


def _declaring_file(descriptor: PluginDescriptor) -> Path:
    declared = descriptor.declared_in
    if declared is not None and declared.path.suffix in (".toml", ".json"):
        return declared.path
    return descriptor.path
