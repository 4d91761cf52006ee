"""Puts new code in the place of old without failing a call.

The new version proves itself in a second host, on a copy of the state, while the old one goes on
serving. Then calls are held, running ones finish, the state moves over, and the hosts change
places. Whatever goes wrong before that leaves the old host where it is.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType

from msgspec import Struct

from nebula_lab.errors import LoadFailedError, PluginError
from nebula_lab.metrics import ManagerCounters
from nebula_lab.model import PluginDescriptor
from nebula_lab.model.events import PluginReloaded, ReloadFailed
from nebula_lab.model.version import Version
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


class _Task:
    """One reload or rollback.

    Args:
        record: of what.
        read: gives what is to serve.
        cause: one of `model.events.CAUSES`.

    Attributes:
        began: when, on the clock of `time.monotonic`.
        served: what was there before.
        descriptor: what was read; None where it could not be.
        tried: the plugins that were loaded because the new code needs them.
        is_adopted: it did not serve, and its descriptor is the new one; it is to be loaded.
    """

    def __init__(
        self, record: PluginRecord, read: Callable[[], PluginDescriptor], cause: str
    ) -> None:
        self.record = record
        self.read = read
        self.cause = cause
        self.began = time.monotonic()
        self.served = record.descriptor
        self.descriptor: PluginDescriptor | None = None
        self.tried: set[str] = set()
        self.is_adopted = False

    @property
    def is_rollback(self) -> bool:
        return self.cause == _ROLLBACK


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
        task = _Task(record, read, cause)
        # With no lock held: of two that need each other each would wait for the other's for ever.
        while lacking := self._step(task):
            with self._telling(task):
                for plugin_id in lacking:
                    self._loader.load(plugin_id)
        self._dependents.notify(record, task.served.version)

    def _step(self, task: _Task) -> list[str]:
        """Put new code in its place; or do what can be done before others have been loaded.

        Returns:
            The plugins to load before the next step; none where there is none.
        """
        record = task.record
        with record.lifecycle, self._telling(task):
            if task.is_adopted:
                self._note(task, _Swap())
                return []
            task.served, task.descriptor = record.descriptor, None
            descriptor = task.descriptor = task.read()
            if record.state not in SERVING:
                self._catalogue.adopt(record, descriptor)
                record.is_recalled = task.is_rollback
                task.is_adopted = True
                return [record.id]
            lacking = self._lacking(descriptor) - task.tried
            if lacking:
                task.tried |= lacking
                return sorted(lacking)
            swap = self._exchange(record, descriptor, is_recalled=task.is_rollback)
            if not task.is_rollback:
                self._archive.note_soon(descriptor)
            record.failure = None
            record.forget_crashes()
            self._note(task, swap)
            return []

    def _lacking(self, descriptor: PluginDescriptor) -> set[str]:
        """What new code can't do without and is not up."""
        needed = {one.plugin_id for one in descriptor.dependencies if not one.optional}
        return {
            plugin_id
            for plugin_id in needed
            if plugin_id in self._catalogue
            if self._catalogue.record(plugin_id).state not in SERVING
        }

    def _note(self, task: _Task, swap: _Swap) -> None:
        record = task.record
        record.reload_count += 1
        self._counters.reloads += 1
        record.last_reload = PluginReloaded(
            record.id,
            datetime.now(UTC),
            record.descriptor.version,
            time.monotonic() - task.began,
            former=task.served.version,
            held=swap.held,
            changes=swap.changes,
            left_out=swap.left_out,
            cause=task.cause,
        )
        self._dispatcher.emit(record.last_reload)

    @contextlib.contextmanager
    def _telling(self, task: _Task) -> Iterator[None]:
        """Tell those who listen why the new code can't serve."""
        record = task.record
        try:
            yield
        except PluginError as error:
            error.plugin_id = error.plugin_id or record.id  # one of the whole folder has none
            error.diff = self._archive.diff(task.served, task.descriptor)
            goes_on = record.state in SERVING
            now = datetime.now(UTC)
            event = ReloadFailed(record.id, now, str(error), error, goes_on, task.cause)
            self._dispatcher.emit(event)
            raise

    def _exchange(
        self, record: PluginRecord, descriptor: PluginDescriptor, *, is_recalled: bool
    ) -> _Swap:
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
        served, former = record.descriptor.version, record.slots.hosts
        if not self._catalogue.adopt(record, descriptor, cradle.claim):
            return  # its caller has been interrupted
        self._swap(record, served, former, fresh, state)
        record.is_recalled = is_recalled
        for host in former:
            self._workers.start_unattended(
                partial(self._hosting.take_down, host, record.id, self._sink())
            )

    def _swap(
        self,
        record: PluginRecord,
        served: Version,
        former: tuple[Host, ...],
        fresh: list[Hosted],
        state: SavedState | None,
    ) -> None:
        record.era += 1
        for host in former:
            record.slots.remove(host)
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
