"""Loads, unloads, suspends and resumes plugins, in the order that their dependencies ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial

from nebula_lab.errors import (
    DependencyError,
    DependentsLoadedError,
    ManagerClosedError,
    PluginError,
)
from nebula_lab.metrics import ManagerCounters
from nebula_lab.model import LoadingStrategy, PluginConfig, PluginDescriptor, PluginState, Priority
from nebula_lab.runtime.catalogue import Catalogue
from nebula_lab.runtime.hosting import Hosted, Hosting
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.record import SERVING, PluginRecord
from nebula_lab.runtime.supervisor import Supervisor
from nebula_lab.runtime.workers import Workers
from nebula_lab.sandbox.base import Host

UP = frozenset({*SERVING, PluginState.UNLOADING})


class Lifecycle:
    """The steps of `PluginState`, with what has to happen at each.

    Args:
        sink: shows what plugins print while they load, save their state or clean up.
    """

    def __init__(
        self,
        config: PluginConfig,
        catalogue: Catalogue,
        hosting: Hosting,
        supervisor: Supervisor,
        workers: Workers,
        counters: ManagerCounters,
        sink: Callable[[], OutputSink],
    ) -> None:
        self._config = config
        self._catalogue = catalogue
        self._hosting = hosting
        self._supervisor = supervisor
        self._workers = workers
        self._counters = counters
        self._sink = sink

    # Loading

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
        with record.lifecycle:
            if record.state in UP:
                return
            record.failure = None
            record.forget_crashes()
            record.move("load")
            hosted: list[Hosted] = []
            try:
                hosted = self.bring_up_replicas(record, record.descriptor)
                self._restore(record, hosted)
            except PluginError as error:
                self.discard(hosted)
                record.fail(error)
                raise
            except BaseException as error:
                self.discard(hosted)
                record.fail(PluginError(f"loading was broken off: {error!r}", plugin_id=record.id))
                raise
            self._settle(record, hosted)

    def bring_up_replicas(self, record: PluginRecord, descriptor: PluginDescriptor) -> list[Hosted]:
        """As many hosts as a plugin's descriptor asks for, at the same time.

        Raises:
            LoadFailedError: one did not come up; those that did are gone again.
        """

        def on_exit(host: Host) -> None:
            self._supervisor.host_lost(record, host)

        start = partial(self._hosting.bring_up, descriptor, self._sink(), on_exit)
        futures = self._workers.all([start] * descriptor.runtime.replicas)
        errors = [error for future in futures if (error := future.exception()) is not None]
        hosted = [future.result() for future in futures if future.exception() is None]
        if errors:
            self.discard(hosted)
            raise errors[0]
        return hosted

    def _restore(self, record: PluginRecord, hosted: Iterable[Hosted]) -> None:
        if record.saved_state is not None:
            self.restore_state(record, hosted, record.saved_state)
            record.saved_state = None

    def _settle(self, record: PluginRecord, hosted: Iterable[Hosted]) -> None:
        record.era += 1
        record.loaded_at = datetime.now(UTC)
        record.loads += 1
        self._counters.loads += 1
        record.move("loaded")
        for one in hosted:
            record.description = one.description
            record.slots.add(one.host, one.places)
        record.slots.resume()

    def discard(self, hosted: Iterable[Hosted]) -> None:
        """End hosts that are not to serve after all."""
        for one in hosted:
            one.host.on_exit = one.host.link.on_ended = lambda: None
            one.host.dispose()

    # State

    def save_state(self, record: PluginRecord) -> object | None:
        """What the plugin wants to keep; None when it keeps nothing.

        Raises:
            PluginError: its `save_state` failed.
        """
        hosts = record.slots.hosts
        if not hosts:
            return None
        answer = self._hosting.ask(hosts[0], "save_state", None, self.errand(record, "save_state"))
        return answer["state"] if isinstance(answer, dict) and answer.get("supported") else None

    def restore_state(self, record: PluginRecord, hosted: Iterable[Hosted], state: object) -> None:
        """Give each host the state.

        Raises:
            PluginError: its `restore_state` failed.
        """
        for one in hosted:
            self._hosting.ask(
                one.host, "restore_state", state, self.errand(record, "restore_state")
            )

    def errand(self, record: PluginRecord, what: str) -> Invocation:
        """A call of the manager's own."""
        return Invocation(record.id, what, self._config.timeout, self._sink())

    # Suspending

    def suspend(self, plugin_id: str) -> None:
        """Keep a plugin's state and end its process; the next call brings it back.

        Raises:
            StateTransitionError: it is not loaded.
            PluginError: it could not save its state; it goes on then.
        """
        record = self._catalogue.record(plugin_id)
        with record.lifecycle:
            if record.state is PluginState.SUSPENDED:
                return
            record.require("suspend")
            record.slots.hold()
            try:
                self.drain(record)
                state = self.save_state(record)
            except BaseException:
                record.slots.resume()
                raise
            record.saved_state = state
            record.move("suspend")
            self.take_down(record)

    def drain(self, record: PluginRecord) -> None:
        """Wait for the calls that run; those that come wait.

        Streams last as long as their callers like: after the wait they are ended.

        Raises:
            PluginError: some other call did not end.
        """
        if record.slots.drained(self._config.timeout + self._config.grace):
            return
        running = record.slots.users()
        busy = ", ".join(call.operation for call in running if not call.is_stream)
        if busy:
            raise PluginError(
                f"still busy with {busy}", plugin_id=record.id, hint="Try again later."
            )
        for stream in running:
            stream.cancel("the stream was ended, because its plugin is being replaced")

    # Unloading

    def unload(self, plugin_id: str, *, cascade: bool = False) -> None:
        """Unload a plugin, after those that depend on it where `cascade` allows that.

        Raises:
            DependentsLoadedError: others that are loaded need it.
            PluginError: its `cleanup` failed; it has been unloaded all the same.
        """
        dependents = self._loaded_dependents(plugin_id)
        needing = [one for one in dependents if self._needs(one, plugin_id)]
        if needing and not cascade:
            raise DependentsLoadedError(plugin_id, needing)
        errors = []
        for one in [*(dependents if cascade else ()), plugin_id]:
            try:
                self._unload_one(self._catalogue.record(one))
            except PluginError as error:
                errors.append(error)  # it has been unloaded, and so must the others be
        if errors:
            raise errors[0]

    def _loaded_dependents(self, plugin_id: str) -> list[str]:
        if plugin_id in self._catalogue.resolution.excluded:
            return []
        return [
            dependent
            for dependent in self._catalogue.registry.dependents(plugin_id)
            if self._catalogue.record(dependent).state in SERVING
        ]

    def _needs(self, dependent: str, plugin_id: str) -> bool:
        return dependent in self._catalogue.resolution.dependents(plugin_id, include_optional=False)

    def _unload_one(self, record: PluginRecord) -> None:
        with record.lifecycle:
            if record.state is PluginState.DISCOVERED:
                return
            record.move("unload")
            record.slots.refuse(PluginError("it is being unloaded", plugin_id=record.id))
            if not record.slots.drained(self._config.grace):
                for call in record.slots.users():
                    call.cancel()
                # One that does not stop within the grace loses its host, and ends by that.
                record.slots.drained(2 * self._config.grace)
            try:
                self.take_down(record)
            finally:
                record.loaded_at = None
                record.failure = None
                record.saved_state = None
                record.slots.welcome()
                record.slots.resume()
                self._counters.unloads += 1
                record.move("unloaded")

    def close(self) -> None:
        """Have every plugin that is not busy clean up, then end every host; nothing loads again.

        A `cleanup` gets the grace and no more, and one that fails stops nothing.
        """
        closed = ManagerClosedError("the manager has been closed")
        idle = []
        for record in self._catalogue:
            record.slots.refuse(closed)
            idle += [(record, host) for host in record.slots.idle_hosts()]
            for host in record.slots.hosts:
                record.slots.remove(host)
        self._workers.all(
            [
                partial(self._hosting.take_down, host, record.id, self._sink(), self._config.grace)
                for record, host in idle
            ]
        )
        self._workers.all([host.dispose for host in self._hosting.close()])

    def take_down(self, record: PluginRecord) -> None:
        """Have every host clean up, and end it.

        Raises:
            PluginError: a `cleanup` failed; the hosts are gone all the same.
        """
        hosts = record.slots.hosts
        record.era += 1
        for host in hosts:
            record.slots.remove(host)
        take = [partial(self._hosting.take_down, host, record.id, self._sink()) for host in hosts]
        errors = [future.exception() for future in self._workers.all(take)]
        for error in errors:
            if error is not None:
                raise error
