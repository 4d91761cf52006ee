"""Puts new code in the place of old without failing a call.

The new version proves itself in a second host, on a copy of the state, while the old one goes on
serving. Then calls are held, running ones finish, the state moves over, and the hosts change
places. Whatever goes wrong before that leaves the old host where it is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType

from msgspec import Struct

from nebula_lab.errors import LoadFailedError, ManagerClosedError, PluginError
from nebula_lab.metrics import ManagerCounters
from nebula_lab.model import PluginDescriptor, PluginState
from nebula_lab.model.events import PluginReloaded, ReloadFailed
from nebula_lab.runtime.archive import Archive
from nebula_lab.runtime.catalogue import Catalogue
from nebula_lab.runtime.cradle import Cradle
from nebula_lab.runtime.dependents import DependentNotifier
from nebula_lab.runtime.description_changes import description_changes
from nebula_lab.runtime.dispatcher import Dispatcher
from nebula_lab.runtime.hosting import Hosted, Hosting
from nebula_lab.runtime.lifecycle import Lifecycle
from nebula_lab.runtime.loading import Loader
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.record import SERVING, PluginRecord
from nebula_lab.runtime.rehearsal import Rehearsal
from nebula_lab.runtime.states import SavedState
from nebula_lab.runtime.supervisor import Supervisor
from nebula_lab.runtime.workers import Workers
from nebula_lab.sandbox.base import Host
from nebula_lab.trust.history import StoredVersion

_log = logging.getLogger("nebula_lab")
_ROLLBACK = "rollback"
_NOTHING: Mapping[str, str] = MappingProxyType({})


class _Swap(Struct, frozen=True):
    """What a swap of hosts took along.

    Attributes:
        held: seconds for which calls were held after the last that ran had ended.
        left_out: what of the state did not come over, and why.
        changes: what is different in what the plugin can do.
    """

    held: float = 0.0
    left_out: Mapping[str, str] = _NOTHING
    changes: tuple[str, ...] = ()


class Reloader:
    """Reloads plugins, and goes back to earlier versions of them.

    Args:
        sink: shows what plugins print meanwhile.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        loader: Loader,
        lifecycle: Lifecycle,
        rehearsal: Rehearsal,
        archive: Archive,
        supervisor: Supervisor,
        hosting: Hosting,
        dependents: DependentNotifier,
        workers: Workers,
        dispatcher: Dispatcher,
        counters: ManagerCounters,
        sink: Callable[[], OutputSink],
    ) -> None:
        self._catalogue = catalogue
        self._loader = loader
        self._lifecycle = lifecycle
        self._rehearsal = rehearsal
        self._archive = archive
        self._supervisor = supervisor
        self._hosting = hosting
        self._dependents = dependents
        self._workers = workers
        self._dispatcher = dispatcher
        self._counters = counters
        self._sink = sink

    def reload(self, plugin_id: str, cause: str = "asked") -> None:
        """Load a plugin's files as they are now; one that is not loaded is loaded.

        Args:
            plugin_id: the plugin.
            cause: one of `model.events.CAUSES`, for those who are told.

        Raises:
            PluginError: why the new code can't serve; the old goes on, if there was one.
        """
        record = self._catalogue.record(plugin_id)
        self._replace(record, lambda: self._catalogue.reread(record), cause)

    def rollback(self, plugin_id: str, wanted: str | None = None) -> StoredVersion:
        """Put an earlier version in the place of what serves; the files on disk stay as they are.

        Args:
            plugin_id: the plugin.
            wanted: a version, or the beginning of a digest; the one before this without.

        Returns:
            The version that serves now.

        Raises:
            VersionNotFoundError: it is not in the store.
            PluginError: why it can't serve; what served goes on.
        """
        record = self._catalogue.record(plugin_id)
        version = self._archive.find(record.descriptor, wanted)

        def recall() -> PluginDescriptor:
            descriptor = self._archive.recall(version, record.descriptor)
            self._catalogue.require_fit(record, descriptor)
            return descriptor

        self._replace(record, recall, _ROLLBACK)
        return version

    def _replace(
        self, record: PluginRecord, read: Callable[[], PluginDescriptor], cause: str
    ) -> None:
        began = time.monotonic()
        may_wake = True
        while not self._has_replaced(record, read, cause, began, may_wake=may_wake):
            may_wake = self._wake(record)

    def _has_replaced(
        self,
        record: PluginRecord,
        read: Callable[[], PluginDescriptor],
        cause: str,
        began: float,
        *,
        may_wake: bool,
    ) -> bool:
        """Replace a plugin; False if it is suspended, and what it was is to be resumed first."""
        with record.lifecycle:
            served, descriptor = record.descriptor, None
            try:
                descriptor = read()
                if may_wake and record.state is PluginState.SUSPENDED:
                    return False
                swap = self._bring_in(record, descriptor, is_recalled=cause == _ROLLBACK)
            except PluginError as error:
                self._tell_failure(record, error, served, descriptor, cause)
                raise
            record.reload_count += 1
            record.failure = None
            record.forget_crashes()
            self._counters.reloads += 1
            record.last_reload = PluginReloaded(
                record.id,
                datetime.now(UTC),
                descriptor.version,
                time.monotonic() - began,
                former=served.version,
                held=swap.held,
                changes=swap.changes,
                left_out=swap.left_out,
                cause=cause,
            )
            self._dispatcher.emit(record.last_reload)
        self._dependents.notify(record, served.version)
        return True

    def _wake(self, record: PluginRecord) -> bool:
        """Resume what a suspended plugin was, to be there if the new code fails; False if it can't.

        Calls that come meanwhile are its as ever, and wait for no rehearsal.
        """
        # On another thread: an interrupt of this one is to leave it as it was.
        waking = self._workers.start(partial(self._loader.load, record.id))
        try:
            waking.result()
        except ManagerClosedError:
            raise
        except PluginError as error:
            _log.warning("%s does not come back as it was: %s", record.id, error)
            return False
        return True

    def _bring_in(
        self, record: PluginRecord, descriptor: PluginDescriptor, *, is_recalled: bool
    ) -> _Swap:
        if record.state in SERVING:
            swap = self._exchange(record, descriptor, is_recalled=is_recalled)
            if not is_recalled:
                self._archive.note_soon(descriptor)
            return swap
        served, was_recalled = record.descriptor, record.is_recalled
        self._catalogue.adopt(record, descriptor)
        record.is_recalled = is_recalled
        try:
            self._loader.load(record.id)
        except PluginError:
            if record.state is PluginState.SUSPENDED:  # what it depends on did not come up
                self._catalogue.adopt(record, served)
                record.is_recalled = was_recalled
            raise
        return _Swap()

    def _tell_failure(
        self,
        record: PluginRecord,
        error: PluginError,
        served: PluginDescriptor,
        failed: PluginDescriptor | None,
        cause: str,
    ) -> None:
        error.plugin_id = error.plugin_id or record.id  # one of the whole folder has none
        error.diff = self._archive.diff(served, failed)
        goes_on = record.state in SERVING or record.state is PluginState.SUSPENDED
        now = datetime.now(UTC)
        self._dispatcher.emit(ReloadFailed(record.id, now, str(error), error, goes_on, cause))

    def _exchange(
        self, record: PluginRecord, descriptor: PluginDescriptor, *, is_recalled: bool
    ) -> _Swap:
        self._load_new_dependencies(descriptor)
        cradle = Cradle()
        try:
            fresh = self._loader.bring_up_replicas(record, descriptor, cradle)
            has_rehearsed = self._rehearsal.rehearse(record, descriptor, fresh)
            self._lifecycle.drain(record)
            began = time.monotonic()
            state = self._rehearsal.save(record, descriptor)
            left_out = _NOTHING
            if state is not None:
                left_out = self._rehearsal.restore(record, descriptor, fresh, state, is_final=True)
            if not has_rehearsed:
                self._rehearsal.examine(descriptor, fresh)
            _refuse_lost(fresh, descriptor)
            changes = description_changes(record.description, fresh[0].description)
            commit = partial(self._commit, record, descriptor, fresh, state, cradle, is_recalled)
            self._workers.start(commit).result()
            return _Swap(time.monotonic() - began, left_out, tuple(changes.lines()))
        except BaseException:
            if cradle.abandon():
                record.slots.resume()
            raise

    def _commit(
        self,
        record: PluginRecord,
        descriptor: PluginDescriptor,
        fresh: list[Hosted],
        state: SavedState | None,
        cradle: Cradle,
        is_recalled: bool,
    ) -> None:
        """Put the new hosts in the place of the old, as a whole."""
        if not cradle.claim():
            return  # its caller has been interrupted
        former = record.slots.hosts
        self._swap(record, descriptor, former, fresh, state)
        record.is_recalled = is_recalled
        for host in former:
            self._workers.start_unattended(
                partial(self._hosting.take_down, host, record.id, self._sink())
            )

    def _load_new_dependencies(self, descriptor: PluginDescriptor) -> None:
        for dependency in descriptor.dependencies:
            known = dependency.plugin_id in self._catalogue
            if known and not (dependency.optional and not self._is_up(dependency.plugin_id)):
                self._loader.load(dependency.plugin_id)

    def _is_up(self, plugin_id: str) -> bool:
        return self._catalogue.record(plugin_id).state in SERVING

    def _swap(
        self,
        record: PluginRecord,
        descriptor: PluginDescriptor,
        former: tuple[Host, ...],
        fresh: list[Hosted],
        state: SavedState | None,
    ) -> None:
        record.era += 1
        for host in former:
            record.slots.remove(host)
        served = record.descriptor.version
        self._catalogue.adopt(record, descriptor)
        record.succeeded(served)
        record.came_up()
        self._supervisor.adopt(record, fresh, state)
        record.slots.resume()


def _refuse_lost(fresh: list[Hosted], descriptor: PluginDescriptor) -> None:
    if any(one.host.is_lost for one in fresh):
        raise LoadFailedError(
            "its new process ended before it could serve, so the old one goes on",
            plugin_id=descriptor.id,
            path=descriptor.path,
        )
