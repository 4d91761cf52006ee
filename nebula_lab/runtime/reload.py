"""Puts new code in the place of old without failing a call.

The new version proves itself in a second host while the old one goes on serving. Then calls are
held, running ones finish, the state moves over, and the hosts change places. Whatever goes wrong
before that leaves the old host where it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from nebula_lab.errors import LoadFailedError, PluginError
from nebula_lab.metrics import ManagerCounters
from nebula_lab.model import PluginDescriptor
from nebula_lab.model.events import PluginReloaded, ReloadFailed
from nebula_lab.runtime.catalogue import Catalogue
from nebula_lab.runtime.cradle import Cradle
from nebula_lab.runtime.dispatcher import Dispatcher
from nebula_lab.runtime.hosting import Hosted, Hosting
from nebula_lab.runtime.lifecycle import Lifecycle
from nebula_lab.runtime.loading import Loader
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.record import SERVING, PluginRecord
from nebula_lab.runtime.states import StateKeeper
from nebula_lab.runtime.supervisor import Supervisor
from nebula_lab.runtime.workers import Workers
from nebula_lab.sandbox.base import Host


class Reloader:
    """Reloads plugins.

    Args:
        sink: shows what plugins print meanwhile.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        loader: Loader,
        lifecycle: Lifecycle,
        states: StateKeeper,
        supervisor: Supervisor,
        hosting: Hosting,
        workers: Workers,
        dispatcher: Dispatcher,
        counters: ManagerCounters,
        sink: Callable[[], OutputSink],
    ) -> None:
        self._catalogue = catalogue
        self._loader = loader
        self._lifecycle = lifecycle
        self._states = states
        self._supervisor = supervisor
        self._hosting = hosting
        self._workers = workers
        self._dispatcher = dispatcher
        self._counters = counters
        self._sink = sink

    def reload(self, plugin_id: str) -> None:
        """Load a plugin's files as they are now; one that is not loaded is loaded.

        Raises:
            PluginError: why the new code can't serve; the old goes on, if there was one.
        """
        record = self._catalogue.record(plugin_id)
        started = time.monotonic()
        with record.lifecycle:
            try:
                descriptor = self._catalogue.reread(record)
                if record.state in SERVING:
                    self._exchange(record, descriptor)
                else:
                    self._catalogue.adopt(record, descriptor)
                    self._loader.load(plugin_id)
            except PluginError as error:
                self._dispatcher.emit(ReloadFailed(plugin_id, datetime.now(UTC), str(error)))
                raise
            record.reload_count += 1
            record.failure = None
            record.forget_crashes()
            self._counters.reloads += 1
            took = time.monotonic() - started
            self._dispatcher.emit(
                PluginReloaded(plugin_id, datetime.now(UTC), descriptor.version, took)
            )

    def _exchange(self, record: PluginRecord, descriptor: PluginDescriptor) -> None:
        self._load_new_dependencies(descriptor)
        cradle = Cradle()
        try:
            fresh = self._loader.bring_up_replicas(record, descriptor, cradle)
            self._lifecycle.drain(record)
            saved = self._states.save(record)
            _refuse_lost(fresh, descriptor)
            if saved is not None:
                self._states.restore(record, fresh, saved, is_final=True)
            _refuse_lost(fresh, descriptor)
            self._workers.start(partial(self._commit, record, descriptor, fresh, cradle)).result()
        except BaseException:
            if cradle.abandon():
                record.slots.resume()
            raise

    def _commit(
        self,
        record: PluginRecord,
        descriptor: PluginDescriptor,
        fresh: list[Hosted],
        cradle: Cradle,
    ) -> None:
        """Put the new hosts in the place of the old, as a whole."""
        if not cradle.claim():
            return  # its caller has been interrupted
        former = record.slots.hosts
        self._swap(record, descriptor, former, fresh)
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
    ) -> None:
        record.era += 1
        for host in former:
            record.slots.remove(host)
        self._catalogue.adopt(record, descriptor)
        record.loaded_at = datetime.now(UTC)
        self._supervisor.adopt(record, fresh)
        record.slots.resume()


def _refuse_lost(fresh: list[Hosted], descriptor: PluginDescriptor) -> None:
    if any(one.host.is_lost for one in fresh):
        raise LoadFailedError(
            "its new process ended before it could serve, so the old one goes on",
            plugin_id=descriptor.id,
            path=descriptor.path,
        )
