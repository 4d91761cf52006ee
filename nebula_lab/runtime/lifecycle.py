"""Suspends and unloads plugins, and ends them all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial

from nebula_lab.errors import (
    DependentsLoadedError,
    ManagerClosedError,
    PluginError,
    StateTransitionError,
)
from nebula_lab.metrics import ManagerCounters
from nebula_lab.model import PluginConfig, PluginState
from nebula_lab.runtime.catalogue import Catalogue
from nebula_lab.runtime.holds import Holds
from nebula_lab.runtime.hosting import Hosting
from nebula_lab.runtime.loading import Loader
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.record import SERVING, PluginRecord
from nebula_lab.runtime.states import StateKeeper
from nebula_lab.runtime.workers import Workers

_IN_USE = frozenset({*SERVING, PluginState.LOADING})


class Lifecycle:
    """The steps of `PluginState` that take a plugin down, with what has to happen at each.

    Args:
        sink: shows what plugins print while they save their state or clean up.
    """

    def __init__(
        self,
        config: PluginConfig,
        catalogue: Catalogue,
        hosting: Hosting,
        holds: Holds,
        states: StateKeeper,
        loader: Loader,
        workers: Workers,
        counters: ManagerCounters,
        sink: Callable[[], OutputSink],
    ) -> None:
        self._config = config
        self._catalogue = catalogue
        self._hosting = hosting
        self._holds = holds
        self._states = states
        self._loader = loader
        self._workers = workers
        self._counters = counters
        self._sink = sink

    # Suspending

    def suspend(self, plugin_id: str, reason: str = "") -> None:
        """Keep a plugin's state and end its process; the next call brings it back.

        Args:
            plugin_id: the plugin.
            reason: why, where nobody asked for it.

        Raises:
            StateTransitionError: it is not loaded.
            PluginError: it could not save its state, or is too busy; it goes on then.
        """
        record = self._catalogue.record(plugin_id)
        with record.lifecycle:
            if record.state is PluginState.SUSPENDED:
                return
            record.require("suspend")
            try:
                with self._holds.drained(record) as hold:
                    with hold.doing("its save_state") as errand:
                        state = self._states.save(record, errand)
                    hold.settle()
            except BaseException:
                record.slots.resume()
                raise
            record.saved_state = state
            record.move("suspend", reason)
            try:
                self.take_down(record)
            finally:
                record.slots.resume()
                if record.slots.queue_length:  # calls that came meanwhile
                    self._workers.start_unattended(partial(self._loader.load, plugin_id))

    def suspend_again(self, record: PluginRecord) -> PluginError | None:
        """Suspend what was resumed for its new code alone; why that failed, if it did.

        One that somebody has called since, or suspended or ended, is left as it is.
        """
        if record.state is not PluginState.LOADED:
            return None
        try:
            self.suspend(record.id, "its new code has been tried")
        except (ManagerClosedError, StateTransitionError):
            return None  # somebody else was quicker
        except PluginError as error:
            return error
        return None

    # Unloading

    def unload(self, plugin_id: str, *, cascade: bool = False) -> None:
        """Unload a plugin, after those that depend on it where `cascade` allows that.

        Raises:
            DependentsLoadedError: others that are loaded need it.
            PluginError: its `cleanup` failed; it has been unloaded all the same.
        """
        dependents = self._loaded_dependents(plugin_id)
        needing = self.needing(plugin_id)
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

    def withdraw(self, plugin_id: str) -> PluginError | None:
        """Unload a plugin whose files are gone, and keep its state in case they come back.

        Returns:
            Why its state could not be kept; None where it is, or where there is none.

        Raises:
            DependentsLoadedError: others that are loaded need it; it goes on.
        """
        record = self._catalogue.record(plugin_id)
        needing = self.needing(plugin_id)
        if needing:
            raise DependentsLoadedError(plugin_id, needing)
        lost = None
        with record.lifecycle:
            try:
                if record.state in SERVING:
                    self.suspend(plugin_id)
            except PluginError as error:
                lost = error
            self._catalogue.kept_states.put(plugin_id, record.saved_state)
            with contextlib.suppress(PluginError):  # of its `cleanup`; it is gone all the same
                self.unload(plugin_id)
        return lost

    def needing(self, plugin_id: str) -> list[str]:
        """The loaded plugins that can't do without this one."""
        return [one for one in self._loaded_dependents(plugin_id) if self._needs(one, plugin_id)]

    def _loaded_dependents(self, plugin_id: str) -> list[str]:
        if plugin_id in self._catalogue.resolution.excluded:
            return []
        return [
            dependent
            for dependent in self._catalogue.registry.dependents(plugin_id)
            if self._catalogue.record(dependent).state in _IN_USE
        ]

    def _needs(self, dependent: str, plugin_id: str) -> bool:
        return dependent in self._catalogue.resolution.dependents(plugin_id, include_optional=False)

    def _unload_one(self, record: PluginRecord) -> None:
        with record.lifecycle:
            if record.state is PluginState.DISCOVERED:
                return
            record.move("unload")
            try:
                record.slots.refuse(PluginError("it is being unloaded", plugin_id=record.id))
                if not record.slots.drained(self._config.grace):
                    for call in record.slots.users():
                        call.cancel()
                    # One that does not stop within the grace loses its host, and ends by that.
                    record.slots.drained(2 * self._config.grace)
                self.take_down(record)
            except BaseException:
                self._end_hosts(record)
                raise
            finally:
                record.loaded_at = None
                record.failure = None
                record.saved_state = None
                record.is_recalled = False
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

    def _end_hosts(self, record: PluginRecord) -> None:
        """Nobody waits any more for them to clean up."""
        for host in record.slots.hosts:
            record.slots.remove(host)
            host.kill()
            self._workers.start_unattended(host.dispose)

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
