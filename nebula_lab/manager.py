"""`PluginManager`: everything that can be done with plugins, in one thread-safe object."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from nebula_lab.errors import ConfigError, ManagerClosedError, PluginError
from nebula_lab.model import LoadingStrategy, PluginConfig, PluginDescriptor, PluginInfo
from nebula_lab.model.events import CallsCounted, Event, PluginReloaded
from nebula_lab.model.info import PluginListing
from nebula_lab.model.problem import ProblemList
from nebula_lab.model.quantities import LONGEST_WAIT
from nebula_lab.runtime.groundwork import Groundwork
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.log_ring import LogLine, LogListing
from nebula_lab.runtime.output import OutputSink, TextSink
from nebula_lab.runtime.record import SERVING

if TYPE_CHECKING:
    import networkx as nx

    from nebula_lab.metrics import MetricsSnapshot, PluginMetrics, Timeline
    from nebula_lab.model.lock import LockedEnvironment
    from nebula_lab.model.policy import EffectivePolicy
    from nebula_lab.plugin import HealthStatus
    from nebula_lab.registry.installing.reports import (
        InstallReport,
        SearchReport,
        UninstallReport,
        Update,
    )
    from nebula_lab.runtime.engine import Engine
    from nebula_lab.runtime.operation import Operation
    from nebula_lab.runtime.proxy import PluginProxy
    from nebula_lab.runtime.reasons import VersionReasons
    from nebula_lab.trust.history import StoredVersion, StoredVersions
    from nebula_lab.watch.status import WatchStatus


class PluginManager:
    """Finds plugins, loads them, calls them, reloads them, and ends them with itself.

    Args:
        config: a `PluginConfig`, or a mapping with the same keys.
        plugin_dir: the short form: a folder of plugins, with everything else as it is by default.
        output: shows what plugins print; plain text on this process's own output without.

    Raises:
        ConfigError: the configuration is wrong.
        DiscoveryError: the place to look for plugins is not there. A bad plugin in it is no
            reason not to start: see `problems`.
        LockError: `nebula.lock` can't be read; with `lock: locked`, also where plugins are not as
            it says.
    """

    def __init__(
        self,
        config: PluginConfig | Mapping[str, Any] | None = None,
        *,
        plugin_dir: str | os.PathLike[str] | None = None,
        output: OutputSink | None = None,
    ) -> None:
        self.config = _config_from(config, plugin_dir)
        self.output: OutputSink = output or TextSink()
        self._closing = threading.Lock()
        self._closed = self._ended = False
        self._is_forks = False  # this process is a fork of the one that owns the plugins
        self._ground = Groundwork(self.config, lambda: self.output)
        _open_managers.add(self)
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        for sentence in self.unenforced:
            warnings.warn(sentence, UnenforcedWarning, stacklevel=3)
        if self.config.loading is not LoadingStrategy.LAZY:
            self._engine.loader.load_at_start()

    @cached_property
    def _engine(self) -> Engine:
        """What runs plugins; it is put together when it is first needed."""
        return self._ground.engine()

    # Looking

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def unenforced(self) -> tuple[str, ...]:
        """What is asked for and not enforced here, in sentences; with `strict`, none runs so."""
        if self.config.security.strict:
            return ()
        from nebula_lab.runtime.unenforced import unenforced

        return unenforced(map(self.policy, self.load_order))

    def policy(self, plugin_id: str) -> EffectivePolicy:
        """What a plugin may do, how much it may use, and what enforces it on this machine.

        Raises:
            NotFoundError: there is no such plugin.
            ConfigError: what this machine can enforce could not be found out.
        """
        return self._engine.hosting.policy(self.descriptor(plugin_id))

    def build_environment(self, plugin_id: str, *, anew: bool = False) -> Path | None:
        """The folder of the Python environment that a plugin asks for, built now if need be.

        A load does the same. None for a plugin that asks for none and runs in the manager's own.

        Args:
            plugin_id: the plugin.
            anew: remove what is there and build it again, of the same packages.

        Raises:
            NotFoundError: there is no such plugin.
            EnvironmentFailedError: it can't be had; with the resolver's own explanation.
        """
        self._check_open()
        descriptor = self.descriptor(plugin_id)
        found = self._engine.environments.environment_for(descriptor, self.output, anew=anew)
        return None if found is None else Path(found.prefix)

    def environments_to_lock(self, *, anew: bool = False) -> tuple[LockedEnvironment, ...]:
        """What `nebula.lock` is to say of the environments that plugins ask for; builds none.

        Args:
            anew: ask the package indexes, whatever was chosen before.

        Raises:
            EnvironmentFailedError: there is no choice of packages for one of them.
        """
        self._check_open()
        descriptors = [self.descriptor(plugin_id) for plugin_id in self]
        return self._engine.environments.to_lock(descriptors, anew=anew)

    @property
    def problems(self) -> ProblemList:
        """Each plugin that was left out, and why; then notes on the others."""
        return ProblemList(self._ground.problems)

    @property
    def graph(self) -> nx.DiGraph[str]:
        """Plugins and their dependencies, as declared; an edge leads to what is needed."""
        return self._ground.catalogue.registry.graph

    @property
    def load_order(self) -> list[str]:
        """Ids of the plugins that can be loaded, dependencies first."""
        return self._ground.catalogue.registry.load_order

    def list_plugins(self) -> PluginListing:
        """Every plugin that was found, by id: a list, which a notebook shows as a table."""
        return PluginListing(sorted(self._ground.catalogue.infos(), key=lambda info: info.id))

    def plugin_info(self, plugin_id: str) -> PluginInfo:
        """One row of `list_plugins()`.

        Raises:
            NotFoundError: there is no such plugin.
        """
        return self._ground.catalogue.info(self._ground.catalogue.record(plugin_id))

    def descriptor(self, plugin_id: str) -> PluginDescriptor:
        """What is known of a plugin without running it.

        Raises:
            NotFoundError: there is no such plugin.
        """
        return self._ground.catalogue.record(plugin_id).descriptor

    def version_reasons(self, plugin_id: str) -> VersionReasons:
        """Why a plugin is there in its version: who asks for it, what speaks against newer ones.

        Raises:
            NotFoundError: there is no such plugin.
        """
        return self._ground.catalogue.version_reasons(plugin_id)

    def dependents(self, plugin_id: str) -> tuple[str, ...]:
        """All that depend on a plugin, also by way of others, in the order to unload them."""
        return self._ground.catalogue.registry.dependents(plugin_id)

    def operations(self, plugin_id: str, *, load: bool = True) -> Mapping[str, Operation]:
        """A plugin's operations by name.

        Args:
            plugin_id: the plugin.
            load: load it, if it is not; else one that is not loaded has none yet.
        """
        record = self._ground.catalogue.record(plugin_id)
        if load and not record.is_up and not record.loads:
            self.load_plugin(plugin_id)
        return record.description.operations

    def logs(self, plugin_id: str) -> LogListing:
        """The last lines that a plugin printed and logged, oldest first."""
        return LogListing(plugin_id, self._ground.catalogue.record(plugin_id).lines())

    def logs_after(self, plugin_id: str, count: int) -> tuple[int, list[LogLine]]:
        """What a plugin has written since it had written so many lines in all.

        Returns:
            How many it has written now, and those of the new ones that are still kept.
        """
        return self._ground.catalogue.record(plugin_id).log.after(count)

    def connection_file(self, plugin_id: str) -> Path | None:
        """For a Jupyter front end to attach to a plugin's kernel; None where there is none."""
        hosts = self._ground.catalogue.record(plugin_id).slots.hosts
        return hosts[0].connection_file if hosts else None

    def metrics(self) -> MetricsSnapshot:
        """Counts and durations, in total and for each plugin."""
        return self._engine.meter.snapshot()

    def timeline(self) -> Timeline:
        """What happened to plugins, and how much memory they had: the newest of it."""
        return self._ground.chronicle.timeline()

    def plugin_metrics(self, plugin_id: str, *, usage: bool = True) -> PluginMetrics:
        """The same for one plugin.

        Args:
            plugin_id: the plugin.
            usage: look also at what its processes use, which takes longer than all else.

        Raises:
            NotFoundError: there is no such plugin.
        """
        return self._engine.meter.measured(self._ground.catalogue.record(plugin_id), usage=usage)

    def plugin_health(self, plugin_id: str, *, timeout: float = 5.0) -> HealthStatus:
        """Ask a plugin how it is; one that is not running, or does not say, is not healthy.

        Raises:
            NotFoundError: there is no such plugin.
        """
        self._check_open()
        record = self._ground.catalogue.record(plugin_id)
        from nebula_lab.runtime.health import ask_health

        return ask_health(record, self._engine.hosting, self.output, _seconds(timeout))

    def health_if_idle(self, plugin_id: str, *, timeout: float = 5.0) -> HealthStatus | None:
        """The same where the plugin has time for it, and None where not; shows no output.

        For whoever asks again and again, and must neither wait for calls nor hold them up.

        Raises:
            NotFoundError: there is no such plugin.
        """
        self._check_open()
        record = self._ground.catalogue.record(plugin_id)
        from nebula_lab.runtime.health import ask_if_idle

        return ask_if_idle(record, self._engine.hosting, _seconds(timeout))

    def subscribe(
        self, callback: Callable[[Event], object], only: Iterable[type[Event]] = (Event,)
    ) -> Callable[[], None]:
        """Be told of every event, or of those of some kinds; gives the function that ends it.

        The callback runs on one thread with all others, with no lock of the manager's held.

        Args:
            callback: is given each event.
            only: the types of events that it wants.
        """
        unsubscribe = self._ground.dispatcher.subscribe(callback, tuple(only))
        if self._ground.dispatcher.wants(CallsCounted):
            self._engine.meter.start()
        return unsubscribe

    # Calling

    def execute(
        self,
        plugin_id: str,
        operation: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> Any:
        """Run an operation and return its result, loading the plugin first if need be.

        Args:
            plugin_id: the plugin.
            operation: its operation.
            params: JSON values, bytes and datetimes, by name.
            timeout: seconds from now until the result must be there; the configuration's
                `timeout` without. For an operation that streams, the wait for each item.

        Returns:
            What the operation returned; where it yields, an iterator to be used to its end or
            closed.

        Raises:
            InvalidParamsError: params that do not fit the operation's schema; nothing was sent.
            PluginTimeoutError: it took too long, and was stopped.
            PluginCrashedError: its process ended.
            PluginError: anything else that went wrong, with the plugin's own traceback.
        """
        return self._engine.calls.run(self.begin(plugin_id, operation, timeout), params or {})

    def begin(self, plugin_id: str, operation: str, timeout: float | None = None) -> Invocation:
        """A call that can be cancelled from another thread; `execute_invocation` runs it."""
        if self._closed or self._is_forks:
            self._check_open()
        limit = self.config.timeout if timeout is None else _seconds(timeout)
        return Invocation(plugin_id, operation, limit, self.output)

    def execute_invocation(self, invocation: Invocation, params: Mapping[str, Any]) -> Any:
        """Run a call made by `begin`."""
        return self._engine.calls.run(invocation, params)

    def map(
        self,
        plugin_id: str,
        operation: str,
        params_list: Iterable[Mapping[str, Any]],
        *,
        timeout: float | None = None,
    ) -> Iterator[Any]:
        """Run an operation once for each params; results in order, over all replicas at once.

        Args:
            params_list: may be endless: it is read as results are taken.
            timeout: seconds for each call.
        """
        at_once = self.places(plugin_id)
        from nebula_lab.runtime.mapping import map_calls

        return map_calls(
            lambda params: self.execute(plugin_id, operation, params, timeout=timeout),
            params_list,
            at_once=at_once,
        )

    def places(self, plugin_id: str) -> int:
        """How many calls of a plugin run at the same time; loads it, if it is not loaded."""
        self._check_open()
        record = self._ground.catalogue.record(plugin_id)
        if not record.is_up:
            self.load_plugin(plugin_id)
        return max(1, record.slots.places)

    def run_cell(self, plugin_id: str, code: str, *, timeout: float | None = None) -> None:
        """Run code in the plugin's own kernel; what it shows goes to the output.

        The names `plugin` and `module` are the running plugin and its module there.

        Raises:
            ExecutionFailedError: the code raised.
        """
        self._check_open()
        record = self._ground.catalogue.record(plugin_id)
        if not record.is_up:
            self.load_plugin(plugin_id)
        invocation = self.begin(plugin_id, "(cell)", timeout)
        with record.slots.place(invocation) as host:
            self._engine.hosting.ask(host, "cell", code, invocation)

    def debug(self, plugin_id: str, command: str = "", *, timeout: float | None = None) -> str:
        """Look at the last call that failed, with a command of Python's debugger.

        Args:
            plugin_id: the plugin.
            command: such as `up`, `p name`, `!statement`, `list`; `help` has them all. Without
                one, begin at the frame that raised, and show the error and the stack.
            timeout: seconds for the command; the configuration's `timeout` without.

        Returns:
            What the command shows.

        Raises:
            NothingToDebugError: no call has failed since the plugin was loaded or reloaded.
            PluginTimeoutError: the command took too long, and was stopped.
        """
        record = self._ground.catalogue.record(plugin_id)
        invocation = self.begin(plugin_id, "(debug)", timeout)
        from nebula_lab.runtime.debugging import run_debugger

        return run_debugger(record, self._engine.hosting, command, invocation)

    def __getitem__(self, plugin_id: str) -> PluginProxy:
        self._ground.catalogue.record(plugin_id)
        from nebula_lab.runtime.proxy import PluginProxy

        return PluginProxy(plugin_id, self.execute, self.operations)

    def __contains__(self, plugin_id: object) -> bool:
        return plugin_id in self._ground.catalogue

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(record.id for record in self._ground.catalogue))

    def __len__(self) -> int:
        return len(self._ground.catalogue)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    # Life cycle

    def warm_up(self) -> None:
        """Get ready for the first load in the background, and keep spare processes from now on.

        A notebook does this when it loads the extension. Nothing waits for it, and nothing fails
        with it: without it, a load takes a little longer.
        """
        self._check_open()
        self._ground.warm_up()

    def rediscover(self) -> ProblemList:
        """Look for plugins again; what runs goes on as it is. Gives the problems then."""
        self._check_open()
        self._ground.catalogue.discover()
        return self.problems

    def load_plugin(self, plugin_id: str) -> None:
        """Load a plugin, and before it what it depends on; nothing happens if it is loaded.

        Raises:
            LoadFailedError: its code did not come up; with its own traceback.
            DependencyError: something it needs is missing, or did not come up.
        """
        self._check_open()
        self._engine.loader.load(plugin_id)

    def unload_plugin(self, plugin_id: str, *, cascade: bool = False) -> None:
        """Clean a plugin up and end its process.

        Raises:
            DependentsLoadedError: others need it, and `cascade` does not say to unload them too.
        """
        self._check_open()
        self._engine.lifecycle.unload(plugin_id, cascade=cascade)

    def reload_plugin(self, plugin_id: str) -> None:
        """Put a plugin's files, as they are now, in the place of what runs, with its state.

        The new code proves itself first, on a copy of the state, while the old goes on serving: it
        takes the state, its `health_check` does not say that it is unhealthy, and its `self_test`
        passes, where it has one. No call fails because of a reload. If the new code does not come
        up, the old goes on serving.

        Raises:
            PluginError: why the new code can't serve.
        """
        self._check_open()
        self._engine.reloader.reload(plugin_id)

    def last_reload(self, plugin_id: str) -> PluginReloaded | None:
        """What the last reload of a plugin brought; None where there was none."""
        return self._ground.catalogue.record(plugin_id).last_reload

    def plugin_history(self, plugin_id: str) -> StoredVersions:
        """The versions of a plugin that came up and can be gone back to, the newest first.

        Raises:
            NotFoundError: there is no such plugin.
        """
        descriptor, archive = self.descriptor(plugin_id), self._engine.archive
        found = archive.versions(descriptor)
        from nebula_lab.trust.history import StoredVersions

        return StoredVersions(plugin_id, found, archive.digest(descriptor))

    def served_digest(self, plugin_id: str) -> str | None:
        """The digest of the version that was read last, as in its history; None if none was."""
        return self._engine.archive.digest(self.descriptor(plugin_id))

    def rollback_plugin(self, plugin_id: str, version: str | None = None) -> StoredVersion:
        """Put an earlier version of a plugin in the place of what runs, with its state.

        The files on disk stay as they are: the next `reload_plugin` is of these.

        Args:
            plugin_id: the plugin.
            version: a version, or the beginning of a digest, of its history; without, the one
                before what runs.

        Raises:
            VersionNotFoundError: there is no such version.
            PluginError: why it can't serve; what runs goes on.
        """
        self._check_open()
        return self._engine.reloader.rollback(plugin_id, version)

    def watch(self, on: bool = True) -> WatchStatus:
        """Reload plugins when their files change from now on, or leave them alone.

        With `hot_reload`, which is the default, this begins by itself when the first plugin has
        been loaded. What has been saved while nobody watched is taken at once.
        """
        self._check_open()
        self._engine.watching.switch(on)
        return self.watch_status

    @property
    def watch_status(self) -> WatchStatus:
        """Whether files are watched, which, and how."""
        return self._engine.watching.status()

    def hold_watch(self) -> AbstractContextManager[None]:
        """A context in which changes of files are left alone; what is left is looked at after it.

        For whoever writes the files of plugins and loads or reloads them then.
        """
        return self._engine.watching.held()

    def suspend_plugin(self, plugin_id: str) -> None:
        """Keep a plugin's state and end its process; the next call brings it back."""
        self._check_open()
        self._engine.lifecycle.suspend(plugin_id)

    def resume_plugin(self, plugin_id: str) -> None:
        """Bring a suspended plugin back with its state."""
        self._check_open()
        self._engine.loader.load(plugin_id)

    # Registries

    def install(
        self, *wanted: str, registry: str | None = None, replace: bool = False
    ) -> InstallReport:
        """Install plugins of registries into the plugin folder, with what they need, or nothing.

        A plugin that runs is reloaded with its state; if its new version does not come up, what
        ran before goes on, and the report says so.

        Args:
            wanted: such as `counter`, `counter@1.2.0` or `counter@^1.2`.
            registry: the address of the one to ask; those of the configuration without.
            replace: put files aside that somebody has edited; the report says where they are.

        Raises:
            InstallError: it can't be; nothing was changed.
            RegistryError: a registry can't be asked, or what it gives is not what it promised.
            SignatureError: what it gives is not signed as the configuration asks.
        """
        self._check_open()
        return self._engine.installer.install(wanted, registry, replace)

    def update(
        self, *plugin_ids: str, registry: str | None = None, replace: bool = False
    ) -> InstallReport:
        """Bring installed plugins to the newest versions that were asked for; as `install`.

        Args:
            plugin_ids: these; all that were installed without.
            registry: as in `install`.
            replace: as in `install`.
        """
        self._check_open()
        return self._engine.installer.update(plugin_ids, registry, replace)

    def uninstall(self, *plugin_ids: str, cascade: bool = False) -> UninstallReport:
        """Remove plugins that were installed from registries, all of them or none.

        What runs of them ends, its state kept in case they come back. Files that somebody has
        edited are put aside; the report says where they are, and how to have it all back.

        Args:
            plugin_ids: the plugins.
            cascade: remove those that need them too, if these were installed.

        Raises:
            NotFoundError: one of them was not installed.
            NeededByOthersError: others need one of them; nothing was changed.
            InstallError: it can't be; nothing was changed.
        """
        self._check_open()
        return self._engine.installer.uninstall(plugin_ids, cascade)

    def updates(self, *plugin_ids: str, registry: str | None = None) -> tuple[Update, ...]:
        """What `update` would find; nothing is changed."""
        self._check_open()
        return self._engine.installer.updates(plugin_ids, registry)

    def search(self, text: str = "", *, registry: str | None = None) -> SearchReport:
        """The plugins of registries that have every word of a text.

        Raises:
            InstallError: no registry is known.
            RegistryError: one can't be asked.
        """
        self._check_open()
        return self._engine.installer.search(text, registry)

    def close(self) -> None:
        """End every plugin's process and remove every temporary file. Can be called again."""
        if self._is_forks:
            return
        self._closed = True
        if not self._closing.acquire(blocking=False):
            return  # another thread is at it
        try:
            if not self._ended:
                self._ground.close()
                self._ended = True  # unless it was interrupted: the next `close` finishes it
                _open_managers.discard(self)
        finally:
            self._closing.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._closed:
            return "<PluginManager, closed>"
        loaded = sum(record.state in SERVING for record in self._ground.catalogue)
        return f"<PluginManager with {len(self)} plugins, {loaded} loaded>"

    # Inside

    def _check_open(self) -> None:
        if self._closed:
            raise ManagerClosedError("the manager has been closed")
        if self._is_forks:
            raise ManagerClosedError(
                "the manager belongs to the process that this one was forked from",
                hint="Make a manager of its own in this process.",
            )


class UnenforcedWarning(UserWarning):
    """Something that the configuration asks for is not enforced."""


_open_managers: weakref.WeakSet[PluginManager] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for manager in list(_open_managers):
        with contextlib.suppress(PluginError):
            manager.close()


def _disown_all() -> None:
    for manager in list(_open_managers):
        manager._is_forks = True
        manager._ground.disown()


os.register_at_fork(after_in_child=_disown_all)


def _seconds(timeout: float) -> float:
    is_number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if not is_number or not 0 < timeout <= LONGEST_WAIT:
        raise ValueError(
            f"timeout must be a number of seconds above 0 and at most {LONGEST_WAIT} (24 days), "
            f"not {timeout!r}"
        )
    return timeout


def _config_from(
    config: PluginConfig | Mapping[str, Any] | None, plugin_dir: str | os.PathLike[str] | None
) -> PluginConfig:
    if isinstance(config, Mapping):
        config = PluginConfig.model_validate(config)
    config = config or PluginConfig.by_default()
    if plugin_dir is not None:
        if config.plugin_dir is not None:
            raise ConfigError("plugin_dir is given twice: by itself and in the configuration")
        config = config.model_copy(update={"plugin_dir": Path(plugin_dir)})
    return config.relative_to(Path.cwd())
