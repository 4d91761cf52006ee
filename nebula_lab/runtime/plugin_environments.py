"""Has the environments built that plugins ask for, and tells those who wait how far it is."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nebula_lab.errors import EnvironmentFailedError, ManagerClosedError
from nebula_lab.model import PluginDescriptor, PythonNeeds, SandboxMode
from nebula_lab.model.events import EnvironmentBuilding, EnvironmentReady
from nebula_lab.model.python_config import PythonConfig
from nebula_lab.runtime.abandonment import abandonable
from nebula_lab.runtime.dispatcher import Dispatcher
from nebula_lab.runtime.environment_locks import choose_environments, located
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.workers import Workers

if TYPE_CHECKING:
    from nebula_lab.environments.cache import EnvironmentCache
    from nebula_lab.environments.environment import Environment
    from nebula_lab.environments.stages import Stage
    from nebula_lab.model.lock import LockedEnvironment, LockFile

_log = logging.getLogger("nebula_lab")


class PluginEnvironments:
    """Of one manager.

    Args:
        mode: where a plugin runs.
        workers: do the building.
        dispatcher: is told of it.
        mark: what the processes of a build are found by, if this one is killed.
        python: what the user lets environments be made of.
    """

    def __init__(
        self,
        mode: Callable[[PluginDescriptor], SandboxMode],
        workers: Workers,
        dispatcher: Dispatcher,
        mark: Callable[[], str],
        python: PythonConfig,
    ) -> None:
        self._mode = mode
        self._workers = workers
        self._dispatcher = dispatcher
        self._mark = mark
        self._python = python
        self._cache: EnvironmentCache | None = None
        self._lock: LockFile | None = None
        self._lock_path: Path | None = None
        self._is_strict = False
        self._is_closed = False

    @property
    def cache(self) -> EnvironmentCache:
        """Made, and what it needs imported, for the first plugin that asks for an environment."""
        from nebula_lab.environments.cache import EnvironmentCache

        if self._cache is None:
            self._cache = EnvironmentCache(
                mark=self._mark, locked=self._locked, python=self._python
            )
        return self._cache

    def follow(
        self, lock: LockFile | None, path: Path | None = None, *, strictly: bool = False
    ) -> None:
        """Take the packages that a lock file names, from now on.

        Args:
            lock: what it says; None for whatever the indexes have.
            path: where it is.
            strictly: refuse an environment that it says nothing of.
        """
        self._lock, self._is_strict = lock, strictly
        self._lock_path = None if lock is None else path

    def _locked(self, key: str) -> LockedEnvironment | None:
        found = None if self._lock is None else self._lock.environment(key)
        if found is None and self._is_strict:
            raise EnvironmentFailedError(
                f"the lock file has no environment {key}, which it asks for on this machine",
                hint="Lock again here: nebula-lab lock. Or run it without --locked.",
            )
        return found

    def to_lock(
        self, descriptors: Iterable[PluginDescriptor], *, anew: bool = False
    ) -> tuple[LockedEnvironment, ...]:
        """What a lock file is to say of the environments that plugins ask for, by key.

        Args:
            descriptors: of the plugins.
            anew: ask the indexes, whatever was chosen or locked before.

        Raises:
            EnvironmentFailedError: there is no choice for one of them.
        """
        return choose_environments(self.cache, descriptors, anew=anew)

    def environment_for(
        self, descriptor: PluginDescriptor, sink: OutputSink, *, anew: bool = False
    ) -> Environment | None:
        """The Python that a plugin asks for, built now if need be; None for the manager's own.

        It takes as long as it takes. An interrupt of whoever waits ends it, and nothing is left.

        Args:
            descriptor: the plugin.
            sink: shows how far it has come, on this thread.
            anew: build it again, though it is there.

        Raises:
            EnvironmentFailedError: it can't be had; with the resolver's own explanation.
        """
        if descriptor.python is None:
            return None
        mode = self._mode(descriptor)
        if mode is not SandboxMode.PROCESS:
            raise located(descriptor, _in_no_process(mode))
        stages: queue.SimpleQueue[Stage | None] = queue.SimpleQueue()
        with abandonable() as abandonment:
            work = partial(self._build, descriptor, stages.put, lambda: bool(abandonment), anew)
            built = self._workers.start(work)
            built.add_done_callback(lambda _: stages.put(None))
            while (stage := stages.get()) is not None:
                label = f"{descriptor.id} environment"
                sink.progress(label, stage.done, stage.total, stage.text)
            return built.result()

    def _build(
        self,
        descriptor: PluginDescriptor,
        tell: Callable[[Stage], object],
        is_abandoned: Callable[[], bool],
        anew: bool,
    ) -> Environment:
        from nebula_lab.environments.stages import BuildWatcher
        from nebula_lab.environments.uv_tool import CancelledError

        began, told = time.monotonic(), 0
        assert descriptor.python is not None

        def pass_on(stage: Stage) -> None:
            nonlocal told
            if stage.done < stage.total:
                told += 1
                self._emit_stage(descriptor.id, stage)
            if told:  # one that was there needs no bar
                tell(stage)

        try:
            watcher = BuildWatcher(pass_on, is_abandoned)
            found = self.cache.ready(descriptor.python, watcher, anew=anew)
        except EnvironmentFailedError as error:
            raise located(descriptor, error) from error.__cause__
        except CancelledError:
            if self._is_closed:
                raise ManagerClosedError("the manager has been closed") from None
            broken_off = EnvironmentFailedError("building its environment was broken off")
            raise located(descriptor, broken_off) from None
        self._note_user(found, descriptor, descriptor.python)
        if told:
            self._emit_ready(descriptor.id, found, time.monotonic() - began)
        return found

    def _note_user(
        self, environment: Environment, descriptor: PluginDescriptor, needs: PythonNeeds
    ) -> None:
        from nebula_lab.environments.users import note_user
        from nebula_lab.runtime.environment_needs import user_of

        try:
            note_user(self.cache.layout, user_of(descriptor, needs, environment, self._lock_path))
        except OSError as error:  # without it, the environment goes a month after its last use
            _log.info("who has an environment was not noted: %s", error)

    def _emit_stage(self, plugin_id: str, stage: Stage) -> None:
        event = EnvironmentBuilding(
            plugin_id, datetime.now(UTC), stage.done, stage.total, stage.text
        )
        self._dispatcher.emit(event)

    def _emit_ready(self, plugin_id: str, environment: Environment, seconds: float) -> None:
        event = EnvironmentReady(plugin_id, datetime.now(UTC), environment.prefix, seconds)
        self._dispatcher.emit(event)

    def close(self) -> None:
        """End what is being built. Can be called again."""
        self._is_closed = True
        if self._cache is None:
            return
        self._cache.close()
        from nebula_lab.environments.upkeep import tidy
        from nebula_lab.runtime.environment_needs import asks_still

        try:
            tidy(self._cache.layout, asks_still)
        except OSError as error:
            _log.info("the environments of plugins were not tidied: %s", error)


def _in_no_process(mode: SandboxMode) -> EnvironmentFailedError:
    return EnvironmentFailedError(
        f"it asks for a Python environment of its own, which sandbox {mode.value} can't give it",
        hint="Set security.sandbox: Process, or take the plugin's python table out.",
    )
