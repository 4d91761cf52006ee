"""Puts together the parts that run plugins, each with the others that it works with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from nebula_lab.metrics import ManagerCounters
from nebula_lab.model import PluginState
from nebula_lab.model.sandbox_choice import mode_for
from nebula_lab.runtime.archive import Archive
from nebula_lab.runtime.calls import CallPath
from nebula_lab.runtime.checkpoints import Checkpoints
from nebula_lab.runtime.dependents import DependentNotifier
from nebula_lab.runtime.exchange import Exchange
from nebula_lab.runtime.groundwork import Groundwork
from nebula_lab.runtime.holds import Holds
from nebula_lab.runtime.hosting import Hosting
from nebula_lab.runtime.idleness import is_idle
from nebula_lab.runtime.installing import Installer
from nebula_lab.runtime.journal import Journal
from nebula_lab.runtime.lifecycle import Lifecycle
from nebula_lab.runtime.loading import Loader
from nebula_lab.runtime.measuring import Meter, state_event
from nebula_lab.runtime.output import OutputSink, QuietSink, unattended
from nebula_lab.runtime.plugin_environments import PluginEnvironments
from nebula_lab.runtime.record import PluginRecord
from nebula_lab.runtime.rehearsal import Rehearsal
from nebula_lab.runtime.reload import Reloader
from nebula_lab.runtime.reload_news import ReloadNews
from nebula_lab.runtime.resting import RestKeeper
from nebula_lab.runtime.shelf import Shelf
from nebula_lab.runtime.states import StateKeeper
from nebula_lab.runtime.supervisor import Supervisor
from nebula_lab.runtime.switchboard import Switchboard
from nebula_lab.runtime.waits import WaitGraph
from nebula_lab.runtime.watching import FileWatch
from nebula_lab.sandbox.table import SandboxTable
from nebula_lab.transport.loop import LoopThread


class Engine:
    """What a manager works with beyond its groundwork.

    Together they own every thread, process and file.

    Args:
        ground: the parts that the manager has had from its start.
        loop: watches what nobody waits for; it is ended with the engine.
    """

    def __init__(self, ground: Groundwork, loop: LoopThread) -> None:
        config, sink = ground.config, _heeded(ground.sink)
        store = ground.store
        self.chronicle = ground.chronicle
        self.dispatcher = ground.dispatcher
        self.catalogue = ground.catalogue
        counters = ManagerCounters()
        workers = ground.workers
        run_folder = ground.run_folder
        self.sandboxes = SandboxTable(loop, run_folder, config, lambda: is_idle(self.catalogue))
        journal = Journal(self.catalogue.record, self.dispatcher, config.security)
        switchboard = Switchboard(config, self.catalogue, journal, workers, sink)
        self._shelf = Shelf(
            store, config.security, self.catalogue.held, collect=self.catalogue.collect
        )
        self.archive = Archive(store, self._shelf, workers)
        self.environments = PluginEnvironments(
            lambda descriptor: mode_for(descriptor, config.security),
            workers,
            self.dispatcher,
            lambda: f"{run_folder.ensured_mark}build",
            config.python,
        )
        self.environments.follow(
            self.catalogue.lock_file, config.lock_path, strictly=config.lock == "locked"
        )
        self.hosting = Hosting(
            config,
            self.sandboxes,
            self._shelf,
            lambda: [record.descriptor for record in self.catalogue],
            workers,
            self.environments,
            switchboard,
            switchboard.unclaimed,
            self.chronicle.sample,
            lambda: f"{run_folder.ensured_mark}compile",
        )
        states = StateKeeper(config, self.hosting, sink)
        checkpoints = Checkpoints(config, self.catalogue, states, workers, loop)
        dependents = DependentNotifier(config, self.catalogue, self.hosting, workers)
        supervisor = Supervisor(
            config,
            self.hosting,
            states,
            checkpoints,
            dependents,
            workers,
            self.dispatcher,
            counters,
        )
        self.loader = Loader(
            config,
            self.catalogue,
            self.hosting,
            states,
            supervisor,
            self.archive,
            workers,
            counters,
            sink,
        )
        waits = WaitGraph(lambda plugin_id: self.catalogue.record(plugin_id).slots)
        holds = Holds(config, waits, workers, loop)
        self.lifecycle = Lifecycle(
            config,
            self.catalogue,
            self.hosting,
            holds,
            states,
            self.loader,
            workers,
            counters,
            sink,
        )
        self.reloader = Reloader(
            self.catalogue,
            self.loader,
            self.lifecycle,
            Exchange(
                self.catalogue,
                self.loader,
                holds,
                Rehearsal(config, states, self.hosting, holds, sink),
                supervisor,
                self.hosting,
                workers,
                sink,
            ),
            self.archive,
            dependents,
            workers,
            ReloadNews(self.archive, self.dispatcher, counters),
        )
        self.watching = FileWatch(
            config,
            self.catalogue,
            self.lifecycle,
            self._shelf,
            workers,
            self.dispatcher,
            lambda plugin_id, is_wanted: self.reloader.reload(plugin_id, "saved", is_wanted),
        )
        self.installer = Installer(
            config,
            self.catalogue,
            self.reloader,
            self.lifecycle,
            self.watching,
            self.dispatcher,
            sink,
        )
        self.calls = CallPath(
            config, self.catalogue, self.loader, workers, loop, switchboard, waits
        )
        switchboard.connect(self.calls, supervisor)
        RestKeeper(config, self.catalogue, self.lifecycle, workers, loop).start()
        self.meter = Meter(self.catalogue, counters, self.dispatcher, loop)
        self._supervisor = supervisor
        self._workers = workers
        self._loop = loop
        self._run_folder = run_folder

    def warm_up(self) -> None:
        """Get ready for plugins to be loaded soon; on a thread that nobody waits for."""
        self.sandboxes.warm_up()

    @property
    def _run_dir(self) -> Path:
        """Where the hosts have their files; there is none before the first of them."""
        return self._run_folder.path

    def close(self) -> None:
        """End every process and thread and remove every file.

        Each step is taken even if an earlier one is interrupted; another call of this takes them
        all again, and so finishes what was left.
        """
        with contextlib.ExitStack() as steps:  # from the last to the first
            steps.callback(self._shelf.close)
            steps.callback(self._run_folder.remove)
            steps.callback(self._loop.close)
            steps.callback(self.dispatcher.close)
            steps.callback(self.sandboxes.close)
            steps.callback(self._workers.close, timeout=10.0)
            steps.callback(self._dispose_hosts)
            steps.callback(self.lifecycle.close)
            steps.callback(self._supervisor.close)
            steps.callback(self.meter.stop)
            steps.callback(self.watching.close)
            steps.callback(
                self.environments.close
            )  # whoever waits for one has not to be waited for
            steps.callback(self.sandboxes.stop_preparing)

    def _dispose_hosts(self) -> None:
        """Of whatever hosts there still are, for instance after an interrupt."""
        with contextlib.ExitStack() as each:
            for host in self.hosting.close():
                each.callback(host.dispose)

    def disown(self) -> None:
        """Let go of everything in a fork of the process that owns it."""
        self.watching.disown()
        self.hosting.disown()
        self.sandboxes.disown()
        for record in self.catalogue:
            record.disown()

    def state_changed(
        self, record: PluginRecord, before: PluginState, after: PluginState, reason: str
    ) -> None:
        """Tell of a change of a plugin's state; see `PluginRecord`."""
        self.dispatcher.emit(state_event(record.id, before, after, reason))
        self.watching.state_changed(after)


def _heeded(sink: Callable[[], OutputSink]) -> Callable[[], OutputSink]:
    """The same sink, but for what is done without anybody waiting for it."""
    return lambda: QuietSink() if unattended.get() else sink()
