"""Puts a manager's parts together, each with the others that it works with."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from nebula_lab.errors import ConfigError
from nebula_lab.metrics import ManagerCounters
from nebula_lab.model import PluginConfig, PluginState
from nebula_lab.runtime.calls import CallPath
from nebula_lab.runtime.catalogue import Catalogue
from nebula_lab.runtime.dispatcher import Dispatcher
from nebula_lab.runtime.hosting import Hosting
from nebula_lab.runtime.journal import Journal
from nebula_lab.runtime.lifecycle import Lifecycle
from nebula_lab.runtime.loading import Loader
from nebula_lab.runtime.measuring import Meter, state_event
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.record import PluginRecord
from nebula_lab.runtime.reload import Reloader
from nebula_lab.runtime.states import StateKeeper
from nebula_lab.runtime.supervisor import Supervisor
from nebula_lab.runtime.switchboard import Switchboard
from nebula_lab.runtime.workers import Workers
from nebula_lab.sandbox.choice import sandbox_for
from nebula_lab.transport.loop import LoopThread

# Unix socket paths end at 107 bytes; the names below a run folder take some fifty of them.
_LONGEST_RUN_DIR = 60


class Engine:
    """What a manager works with. It owns every thread, process and file.

    Args:
        config: what the parts are made for.
        sink: gives where output of plugins goes, at the time when it comes.

    Raises:
        ConfigError: this version does not have the sandbox, or there is no folder for sockets.
        DiscoveryError: the place to look for plugins is not there.
    """

    def __init__(self, config: PluginConfig, sink: Callable[[], OutputSink]) -> None:
        make_sandbox = sandbox_for(config.security.sandbox)
        self.dispatcher = Dispatcher()
        self.catalogue = Catalogue(config, self._on_state)
        counters = ManagerCounters()
        workers = Workers()
        run_dir = _make_run_dir()
        loop = LoopThread()
        sandbox = make_sandbox(loop, run_dir)
        journal = Journal(self.catalogue.record, self.dispatcher)
        switchboard = Switchboard(config, self.catalogue, journal, workers, sink)
        self.hosting = Hosting(config, sandbox, switchboard, switchboard.unclaimed)
        supervisor = Supervisor(config, self.hosting, workers, self.dispatcher, counters, sink)
        states = StateKeeper(config, self.hosting, sink)
        self.loader = Loader(
            config, self.catalogue, self.hosting, states, supervisor, workers, counters, sink
        )
        self.lifecycle = Lifecycle(
            config, self.catalogue, self.hosting, states, self.loader, workers, counters, sink
        )
        self.reloader = Reloader(
            self.catalogue,
            self.loader,
            self.lifecycle,
            states,
            self.hosting,
            workers,
            self.dispatcher,
            counters,
            sink,
        )
        self.calls = CallPath(config, self.catalogue, self.loader, workers, loop, switchboard)
        switchboard.connect(self.calls, supervisor)
        self.meter = Meter(self.catalogue, counters, self.dispatcher, loop)
        self._workers = workers
        self._sandbox = sandbox
        self._loop = loop
        self._run_dir = run_dir

    def close(self) -> None:
        """End every process and thread and remove every file; once only."""
        self.meter.stop()
        self.lifecycle.close()
        self._workers.close(timeout=10.0)
        self._sandbox.close()
        self.dispatcher.close()
        self._loop.close()
        shutil.rmtree(self._run_dir, ignore_errors=True)

    def disown(self) -> None:
        """Let go of everything in a fork of the process that owns it."""
        self.hosting.disown()
        for record in self.catalogue:
            record.disown()

    def _on_state(
        self, record: PluginRecord, before: PluginState, after: PluginState, reason: str
    ) -> None:
        self.dispatcher.emit(state_event(record.id, before, after, reason))


def _make_run_dir() -> Path:
    """A folder that only the user may enter, with a path short enough for socket files."""
    for parent in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):  # noqa: S108
        if parent and len(parent) <= _LONGEST_RUN_DIR and os.access(parent, os.W_OK | os.X_OK):
            return Path(tempfile.mkdtemp(prefix="nebula-", dir=parent))
    raise ConfigError(
        "there is no folder for sockets whose path is short enough",
        hint=f"Set TMPDIR to one with at most {_LONGEST_RUN_DIR} characters.",
    )
