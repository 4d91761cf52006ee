"""Loads plugins in the order that their dependencies ask for."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from functools import partial

from nebula_lab.errors import DependencyError, PluginError
from nebula_lab.metrics import ManagerCounters
from nebula_lab.model import LoadingStrategy, PluginConfig, PluginDescriptor, PluginState, Priority
from nebula_lab.runtime.archive import Archive
from nebula_lab.runtime.catalogue import Catalogue
from nebula_lab.runtime.cradle import Cradle
from nebula_lab.runtime.failures import report_of
from nebula_lab.runtime.hosting import Hosted, Hosting
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.record import SERVING, PluginRecord
from nebula_lab.runtime.states import SavedState, StateKeeper
from nebula_lab.runtime.supervisor import Supervisor
from nebula_lab.runtime.workers import Workers
from nebula_lab.sandbox.base import Host


class Loader:
    """Brings plugins up, what they depend on before them.

    Args:
        sink: shows what plugins print while they load.
    """

    def __init__(
        self,
        config: PluginConfig,
        catalogue: Catalogue,
        hosting: Hosting,
        states: StateKeeper,
        supervisor: Supervisor,
        archive: Archive,
        workers: Workers,
        counters: ManagerCounters,
        sink: Callable[[], OutputSink],
    ) -> None:
        self._config = config
        self._catalogue = catalogue
        self._hosting = hosting
        self._states = states
        self._supervisor = supervisor
        self._archive = archive
        self._workers = workers
        self._counters = counters
        self._sink = sink

    def load(self, plugin_id: str) -> None:
        """Load a plugin, after what it depends on; independent ones at the same time.

        Raises:
            PluginError: it was left out by the resolver, or did not come up.
            DependencyError: something that it depends on did not.
        """
        record = self._catalogue.record(plugin_id)
        self._catalogue.require_usable(plugin_id)
        failures = self._load_all([*self._catalogue.resolution.prerequisites(plugin_id), plugin_id])
        if record.id in failures:
            raise failures[record.id]

    def load_at_start(self) -> dict[str, PluginError]:
        """Load what the loading strategy asks for; the plugins that failed, with the reasons."""
        return self._load_all(self._wanted_at_start())

    def _wanted_at_start(self) -> Iterable[str]:
        resolution = self._catalogue.resolution
        strategy = self._config.loading
        if strategy is LoadingStrategy.EAGER:
            return resolution.load_order
        if not isinstance(strategy, Priority):
            return ()
        chosen = [
            plugin_id
            for plugin_id in resolution.load_order
            if self._catalogue.record(plugin_id).descriptor.metadata.priority >= strategy.threshold
        ]
        needed = {other for plugin_id in chosen for other in resolution.prerequisites(plugin_id)}
        return [plugin_id for plugin_id in resolution.load_order if plugin_id in needed | {*chosen}]

    def _load_all(self, plugin_ids: Iterable[str]) -> dict[str, PluginError]:
        wanted = set(plugin_ids)
        resolution = self._catalogue.resolution
        failures: dict[str, PluginError] = {}
        for generation in resolution.generations:
            batch = [plugin_id for plugin_id in generation if plugin_id in wanted]
            ready = []
            for plugin_id in batch:
                missing = self._failed_dependency(plugin_id, failures)
                if missing is None:
                    ready.append(plugin_id)
                else:
                    failures[plugin_id] = missing
            futures = self._workers.all([partial(self._load_one, one) for one in ready])
            for plugin_id, future in zip(ready, futures, strict=True):
                error = future.exception()
                if isinstance(error, PluginError):
                    failures[plugin_id] = error
                elif isinstance(error, Exception):  # of one plugin; the others load all the same
                    failures[plugin_id] = self._catalogue.record(plugin_id).failure or PluginError(
                        f"loading failed: {error!r}", plugin_id=plugin_id
                    )
                elif error is not None:
                    raise error
        return failures

    def _failed_dependency(
        self, plugin_id: str, failures: dict[str, PluginError]
    ) -> DependencyError | None:
        """The error for a plugin whose dependency failed. It stays as it was, to be tried again."""
        resolution = self._catalogue.resolution
        for dependency in resolution.dependencies.get(plugin_id, ()):
            if dependency in failures and (plugin_id, dependency) not in resolution.optional:
                return DependencyError(
                    f"not loaded, because {dependency}, which it depends on, failed: "
                    f"{failures[dependency].message}",
                    plugin_id=plugin_id,
                    hint=f"Mend {dependency}, then load this again.",
                )
        return None

    def _load_one(self, plugin_id: str) -> None:
        record = self._catalogue.record(plugin_id)
        if record.state in SERVING:
            return  # without its lock, which whoever brings new code up holds while the old serves
        with record.lifecycle:
            if record.state in SERVING:
                return
            is_resumed = record.state is PluginState.SUSPENDED  # so it is to be what it was
            record.failure = None
            record.forget_crashes()
            record.move("load")
            cradle = Cradle()
            if not is_resumed and not record.is_recalled:
                self._hosting.read_anew(record.descriptor)
            try:
                while not self._has_come_up(record, cradle, is_resumed=is_resumed):
                    cradle.empty()
            except PluginError as error:
                cradle.abandon()
                record.fail(error)
                raise
            except BaseException as error:
                if cradle.abandon():
                    reason = f"loading was broken off: {error!r}"
                    record.fail(PluginError(reason, plugin_id=record.id))
                raise

    def _has_come_up(self, record: PluginRecord, cradle: Cradle, *, is_resumed: bool) -> bool:
        """Bring a plugin up; False if it died at that, and is to be tried again.

        One that ran before is: it was suspended without asking whoever calls it now.
        """
        try:
            hosted = self.bring_up_replicas(record, record.descriptor, cradle)
            state = self._restore(record, hosted)
        except PluginError as error:
            report = report_of(error) if is_resumed else None
            if report is None or not self._supervisor.may_try_again(record, report):
                raise
            return False
        settle = partial(self._settle, record, hosted, state, cradle, is_resumed=is_resumed)
        self._workers.start(settle).result()
        return True

    def get_ready(self, record: PluginRecord) -> float:
        """Have that made which sandboxes need once, for a plugin and what it depends on.

        What is wrong with it is told by the load that follows.

        Returns:
            The seconds that it took.
        """
        began, has_made = time.monotonic(), False
        with contextlib.suppress(PluginError):
            for descriptor in self._loaded_with(record):
                has_made = bool(self._hosting.get_ready(descriptor, self._sink())) or has_made
        return time.monotonic() - began if has_made else 0.0

    def seconds_of_preparing(self, record: PluginRecord) -> float:
        """How long that has taken up to now, also where a load had to do it once more."""
        with contextlib.suppress(PluginError):
            return self._hosting.seconds_of_preparing(self._loaded_with(record))
        return 0.0

    def _loaded_with(self, record: PluginRecord) -> list[PluginDescriptor]:
        self._catalogue.require_usable(record.id)
        ids = (*self._catalogue.resolution.prerequisites(record.id), record.id)
        return [self._catalogue.record(one).descriptor for one in ids]

    def bring_up_replicas(
        self, record: PluginRecord, descriptor: PluginDescriptor, cradle: Cradle
    ) -> list[Hosted]:
        """As many hosts as a plugin's descriptor asks for, at the same time.

        Args:
            record: the plugin.
            descriptor: of the version to bring up.
            cradle: gets each host; to be abandoned if this fails.

        Raises:
            LoadFailedError: one did not come up.
        """

        def on_exit(host: Host) -> None:
            self._supervisor.host_lost(record, host)

        start = partial(self._hosting.bring_up, descriptor, self._sink(), on_exit, cradle)
        futures = self._workers.all([start] * descriptor.runtime.replicas)
        errors = [error for future in futures if (error := future.exception()) is not None]
        if errors:
            raise errors[0]
        return [future.result() for future in futures]

    def _restore(self, record: PluginRecord, hosted: Iterable[Hosted]) -> SavedState | None:
        state: SavedState | None = record.saved_state
        if state is not None:
            self._states.restore(record, hosted, state, is_final=True)
            record.saved_state = None  # not before: whatever is mended then is to find it
        return state

    def _settle(
        self,
        record: PluginRecord,
        hosted: Iterable[Hosted],
        state: SavedState | None,
        cradle: Cradle,
        *,
        is_resumed: bool,
    ) -> None:
        if not cradle.claim():
            return  # its caller has been interrupted
        record.era += 1
        record.came_up()
        record.loads += 1
        self._counters.loads += 1
        if not is_resumed:
            record.recorder.forget_trouble()
        record.move("loaded")
        self._supervisor.adopt(record, hosted, state)
        record.slots.resume()
        if not record.is_recalled:
            self._archive.note_soon(record.descriptor)
