"""What a manager has from its start: which plugins there are, and who is told of what happens.

All else is put together when something is first to be done with a plugin. Most of a manager's code
is for that, and a notebook that has just loaded the extension would wait for its import.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from nebula_lab.errors import ManagerClosedError
from nebula_lab.metrics.chronicle import Chronicle
from nebula_lab.model.config import PluginConfig
from nebula_lab.model.problem import Problem
from nebula_lab.model.state import PluginState
from nebula_lab.runtime.catalogue import Catalogue
from nebula_lab.runtime.dispatcher import Dispatcher
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.workers import Workers
from nebula_lab.sandbox.choice import sandbox_for
from nebula_lab.sandbox.run_folder import RunFolder

if TYPE_CHECKING:
    from nebula_lab.runtime.engine import Engine
    from nebula_lab.runtime.record import PluginRecord
    from nebula_lab.trust.store import ContentStore


class Groundwork:
    """The first parts of a manager, and the way to the others.

    Args:
        config: what the parts are made for.
        sink: gives where output of plugins goes, at the time when it comes.

    Raises:
        ConfigError: this version does not have the sandbox, or there is no folder for sockets.
        DiscoveryError: the place to look for plugins is not there.
    """

    def __init__(self, config: PluginConfig, sink: Callable[[], OutputSink]) -> None:
        self.config = config
        self.sink = sink
        sandbox_for(config.security.sandbox)  # before there is anything to be closed
        self.chronicle = Chronicle()
        self.dispatcher = Dispatcher(self.chronicle.note)
        self.catalogue = Catalogue(
            config, self._on_state, lambda *words: sink().progress(*words), lambda: self.store
        )
        self.workers = Workers()
        self.run_folder = RunFolder()
        self._engine: Engine | None = None
        self._is_closed = False
        # Held while the engine is put together: who needs it meanwhile waits for it.
        self._making = threading.RLock()

    @cached_property
    def store(self) -> ContentStore:
        """The content store; few notebooks that start have something to look for in it."""
        from nebula_lab.trust.store import ContentStore

        return ContentStore()

    def engine(self) -> Engine:
        """What runs plugins; any thread.

        Raises:
            ManagerClosedError: it was not needed before the manager was closed.
        """
        with self._making:
            if self._engine is None:
                if self._is_closed:
                    raise ManagerClosedError("the manager has been closed")
                self._engine = self._made()
            return self._engine

    def _made(self) -> Engine:
        from nebula_lab.runtime.engine import Engine
        from nebula_lab.transport.loop import LoopThread

        loop = LoopThread()
        try:
            return Engine(self, loop)
        except BaseException:
            loop.close()
            raise

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was left out and why, and what can't be watched."""
        watching = () if self._engine is None else self._engine.watching.problems
        return (*self.catalogue.problems, *watching)

    def warm_up(self) -> None:
        """Get ready for plugins to be loaded soon, in the background."""
        self.workers.start_unattended(lambda: self.engine().warm_up())

    def close(self) -> None:
        """End every process and thread and remove every file; see `Engine.close`."""
        with self._making:
            self._is_closed = True
        with contextlib.ExitStack() as steps:  # from the last to the first
            steps.callback(self.run_folder.remove)
            steps.callback(self.dispatcher.close)
            steps.callback(self.workers.close, timeout=10.0)
            if self._engine is not None:
                steps.callback(self._engine.close)

    def disown(self) -> None:
        """Let go of everything in a fork of the process that owns it."""
        self._making = threading.RLock()  # a thread that the fork does not have may hold it
        self._is_closed = True
        if self._engine is not None:
            self._engine.disown()

    def _on_state(
        self, record: PluginRecord, before: PluginState, after: PluginState, reason: str
    ) -> None:
        self.engine().state_changed(record, before, after, reason)
