"""Starts hosts, brings plugins up in them, and asks them for what every plugin can do."""

from __future__ import annotations

import itertools
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from nebula_lab.errors import (
    LoadFailedError,
    ManagerClosedError,
    PluginCrashedError,
    PluginError,
    SignatureError,
    StoreError,
)
from nebula_lab.link.end import ChannelEndedError
from nebula_lab.model import PluginConfig, PluginDescriptor
from nebula_lab.model.policy import EffectivePolicy, effective_policy
from nebula_lab.plugin import PLUGIN_API_VERSION
from nebula_lab.runtime.conversation import Conversation
from nebula_lab.runtime.cradle import Cradle
from nebula_lab.runtime.failures import hint_for_cell, load_error_from
from nebula_lab.runtime.granted_paths import Surrounding, grants_for, writable_by
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.listener import Listener
from nebula_lab.runtime.memory_tally import MemoryTally
from nebula_lab.runtime.operation import Description, read_description
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.plugin_environments import PluginEnvironments
from nebula_lab.runtime.plugin_places import places_of
from nebula_lab.runtime.preparing import PreparationClock, prepare
from nebula_lab.runtime.shelf import ReadPlugin, Shelf
from nebula_lab.runtime.unenforced import unenforceable
from nebula_lab.runtime.workers import Workers
from nebula_lab.sandbox.base import Grants, Host, HostSpec, Sandbox
from nebula_lab.sandbox.table import SandboxTable
from nebula_lab.transport.call_link import PendingCall
from nebula_lab.wire.errors import ValueNotSupportedError
from nebula_lab.wire.messages import Call, Load, Output, Shutdown
from nebula_lab.wire.values import encode_value

if TYPE_CHECKING:
    from nebula_lab.sandbox.compiled_components import CompiledComponents

START_TIMEOUT = 60.0  # seconds for a kernel to boot, on a machine under heavy load
MAX_CONCURRENCY = 1024


class Hosted(Struct, frozen=True):
    """A plugin that is up.

    Attributes:
        host: where.
        description: what it says of itself.
        places: how many calls it takes at once.
        began: when it began to come up, on the clock of `time.monotonic`.
    """

    host: Host
    description: Description
    places: int
    began: float


class Hosting:
    """Everything that is done with a host apart from running operations.

    Args:
        config: time-outs, and what plugins are initialized with.
        sandboxes: where hosts are started.
        shelf: has what is to run in them.
        descriptors: gives those of all plugins.
        workers: start hosts.
        environments: has the Pythons that plugins ask for.
        listener: is told of output and of what goes wrong.
        on_unclaimed: is given the plugin's id, its host and a message that belongs to no call.
        on_memory: is given a plugin's id and how many bytes it has, where that is looked at.
        mark: gives what processes that work for a load are found by, if this one is killed.
    """

    def __init__(
        self,
        config: PluginConfig,
        sandboxes: SandboxTable,
        shelf: Shelf,
        descriptors: Callable[[], Iterable[PluginDescriptor]],
        workers: Workers,
        environments: PluginEnvironments,
        listener: Listener,
        on_unclaimed: Callable[[str, Host, Any], None],
        on_memory: Callable[[str, int], None],
        mark: Callable[[], str],
    ) -> None:
        self._config = config
        self._sandboxes = sandboxes
        self._shelf = shelf
        self._descriptors = descriptors
        self._workers = workers
        self._environments = environments
        self._listener = listener
        self._on_unclaimed = on_unclaimed
        self._mark = mark
        self._components: CompiledComponents | None = None
        self._memory = MemoryTally(on_memory)
        self._clocks: dict[Sandbox, PreparationClock] = {}
        self._lives = itertools.count(1)
        self._alive: weakref.WeakSet[Host] = weakref.WeakSet()
        self._starting = 0
        self._counting = threading.Condition()
        self._closed = False

    def bring_up(
        self,
        descriptor: PluginDescriptor,
        sink: OutputSink,
        on_exit: Callable[[Host], None],
        cradle: Cradle,
    ) -> Hosted:
        """Start a host and load a plugin into it.

        Args:
            descriptor: the plugin.
            sink: shows what it prints while it loads.
            on_exit: called when the host is gone, on the loop's thread.
            cradle: gets the host as soon as it is there; whoever has it abandons it after a
                failure.

        Raises:
            LoadFailedError: with the plugin's own traceback, or the last words of its process.
        """
        began = time.monotonic()
        # On another thread: a KeyboardInterrupt on this one must not come half-way.
        policy, grants, read = self._workers.start(partial(self._prepare, descriptor)).result()
        environment = self._environments.environment_for(descriptor, sink)
        spec = HostSpec(
            descriptor.id, next(self._lives), START_TIMEOUT, policy, grants, environment
        )
        sandbox = self._sandboxes.of(descriptor)
        self.get_ready(descriptor, sink)
        start = partial(self._start_host, spec, sandbox, cradle)
        try:
            host = self._workers.start(start).result()
        except LoadFailedError:
            if not self.get_ready(descriptor, sink):
                raise
            host = self._workers.start(start).result()  # somebody had removed what it needs
        # Before it loads: it may end at any time from now on.
        host.needs = tuple(one.plugin_id for one in descriptor.dependencies)
        host.peers = cradle.peers
        host.on_exit = partial(on_exit, host)
        host.on_memory = partial(self._memory.told, descriptor.id, host)
        host.link.on_ended = host.on_exit
        try:
            description, places = self._load(host, descriptor, read, sink)
        except (ManagerClosedError, SignatureError):
            raise
        except PluginError as error:
            raise _load_error(error, descriptor) from error
        return Hosted(host, description, places, began)

    def _prepare(self, descriptor: PluginDescriptor) -> tuple[EffectivePolicy, Grants, ReadPlugin]:
        """What holds for a plugin, and what it is; refused where one does not allow the other."""
        policy = self.policy(descriptor)
        if policy.gaps and self._config.security.strict:
            raise unenforceable(descriptor, policy)
        # First, since files that come from elsewhere are only then where they can be granted.
        read = self._read(descriptor)
        grants = self._grants(descriptor, policy) if policy.rights.paths else Grants()
        return policy, grants, read

    def _grants(self, descriptor: PluginDescriptor, policy: EffectivePolicy) -> Grants:
        sandbox, descriptors = self._sandboxes.of(descriptor), tuple(self._descriptors())
        machine = sandbox.machine()
        surrounding = Surrounding(
            writable_by(descriptors, self._config.security),
            sandbox.kept_folders(),
            places_of(descriptor, descriptors, self._config),
            # Where Landlock is missing too, nothing is hidden of anything, which has been said.
            can_hide=machine is None or machine.namespaces.works or not machine.landlock.works,
        )
        return grants_for(descriptor, policy, surrounding)

    def _read(self, descriptor: PluginDescriptor) -> ReadPlugin:
        try:
            return self._shelf.read(descriptor)
        except StoreError as error:
            raise load_error_from(error, descriptor.id) from error

    def read_anew(self, descriptor: PluginDescriptor) -> None:
        """Have the next host of a plugin get its files as they are then."""
        self._shelf.renew(descriptor)

    def get_ready(self, descriptor: PluginDescriptor, sink: OutputSink) -> float:
        """Have that made which a plugin's sandbox needs once; the seconds that it took.

        Args:
            descriptor: the plugin.
            sink: shows how far it has come, on this thread.

        Raises:
            PluginError: it can't be made.
        """
        sandbox = self._sandboxes.of(descriptor)
        if sandbox.is_ready():
            return 0.0
        began = time.monotonic()
        with self._clock_of(sandbox).running():
            prepare(sandbox, self._workers, sink)
        return time.monotonic() - began

    def seconds_of_preparing(self, descriptors: Iterable[PluginDescriptor]) -> float:
        """How long the sandboxes of some plugins have been made ready up to now."""
        sandboxes = {self._sandboxes.of(one) for one in descriptors}
        return sum(self._clock_of(one).seconds() for one in sandboxes)

    def _clock_of(self, sandbox: Sandbox) -> PreparationClock:
        return self._clocks.setdefault(sandbox, PreparationClock())  # one step, for any thread

    def policy(self, descriptor: PluginDescriptor) -> EffectivePolicy:
        """What holds for a plugin, and what enforces it here.

        Raises:
            ConfigError: what this machine can enforce could not be found out.
        """
        is_own = descriptor.python is None  # of the manager's environment; else nothing is added
        sandbox = self._sandboxes.of(descriptor)
        folders = tuple(one.path for one in sandbox.import_folders() if is_own)
        return effective_policy(descriptor, self._config, sandbox.machine(), folders)

    def _start_host(self, spec: HostSpec, sandbox: Sandbox, cradle: Cradle) -> Host:
        with self._counting:
            if self._closed:
                raise ManagerClosedError("the manager has been closed")
            self._starting += 1
        try:
            host = sandbox.start(spec)
            host.policy = spec.policy
            self._alive.add(host)
            cradle.put(host)
            return host
        finally:
            with self._counting:
                self._starting -= 1
                self._counting.notify_all()

    def close(self) -> list[Host]:
        """Start no more hosts; those that there are, for the caller to dispose of."""
        with self._counting:
            self._closed = True
            if self._components is not None:
                self._components.close()
            self._counting.wait_for(lambda: not self._starting, START_TIMEOUT)
            hosts = list(self._alive)
        for host in hosts:
            host.manager_closes = True
        return hosts

    def disown(self) -> None:
        """Talk to no host any more: this process is a fork of the one that they belong to."""
        for host in list(self._alive):
            host.link.end("it belongs to the process that this one was forked from")

    def _load(
        self, host: Host, descriptor: PluginDescriptor, read: ReadPlugin, sink: OutputSink
    ) -> tuple[Description, int]:
        plugin_id = descriptor.id
        host.link.on_unclaimed = partial(self._on_unclaimed, plugin_id, host)
        host.on_raw_output = partial(_take_raw_output, host)
        config = self._encoded_config(descriptor)
        self._shelf.materialize(read, descriptor, host.plugin_dir)
        if descriptor.is_component:
            copy = host.plugin_dir / read.source
            # On another thread, as an interrupt on this one must not come half-way.
            self._workers.start(partial(self._compile, copy, descriptor)).result()
        host.source = (host.plugin_dir / read.source, descriptor.path.absolute())

        invocation = Invocation(plugin_id, "load", self._config.timeout, sink)
        conversation = Conversation(host, invocation, self._listener, self._config.grace)
        load = Load(
            call=conversation.number,
            plugin_id=plugin_id,
            path=str(host.plugin_dir / read.source),
            origin=str(descriptor.path.absolute()),
            config=config,
            scratch_dir=str(host.scratch_dir),
            concurrency=descriptor.runtime.concurrency,
            api_version=PLUGIN_API_VERSION,
        )
        try:
            conversation.begin(load)
            said, places = conversation.loaded()
        finally:
            conversation.close()
        return read_description(said, plugin_id), min(max(1, places), MAX_CONCURRENCY)

    def _compile(self, copy: Path, descriptor: PluginDescriptor) -> None:
        from nebula_lab.sandbox.compiled_components import CompiledComponents  # few plugins are one

        with self._counting:
            if self._components is None:
                self._components = CompiledComponents(self._mark)
        self._components.put_beside(copy, descriptor.id, descriptor.path.absolute())

    def _encoded_config(self, descriptor: PluginDescriptor) -> Any:
        section = self._config.global_config.get(descriptor.id)
        where = f"global_config.{descriptor.id}"
        try:
            # A section with nothing in it is null in YAML.
            return encode_value({} if section is None else section, where)
        except ValueNotSupportedError as error:
            raise LoadFailedError(
                f"{error.element} is a {error.found}, which can't be given to a plugin",
                plugin_id=descriptor.id,
                path=descriptor.path,
                hint="Use what JSON has, bytes and datetimes; in YAML, quote what is to be text.",
            ) from error

    def ask(self, host: Host, kind: str, params: Any, invocation: Invocation) -> Any:
        """Have a plugin do one of the things that every plugin can do; see `wire.messages.KINDS`.

        Raises:
            PluginError: it could not.
        """
        encoded = encode_value(params, "params")
        conversation = Conversation(host, invocation, self._listener, self._config.grace)
        try:
            conversation.begin(Call(conversation.number, kind, "", encoded, stream_credit=0))
            return conversation.result()
        finally:
            conversation.close()

    def take_down(
        self, host: Host, plugin_id: str, sink: OutputSink, timeout: float | None = None
    ) -> None:
        """Let a plugin clean up, then end its host. The host is gone in any case.

        Args:
            host: where it is.
            plugin_id: the plugin.
            sink: shows what it prints meanwhile.
            timeout: seconds for its `cleanup`; the configuration's `timeout` without.

        Raises:
            PluginError: its `cleanup` failed.
        """
        host.on_exit = lambda: None
        host.link.on_ended = lambda: None
        limit = self._config.timeout if timeout is None else timeout
        invocation = Invocation(plugin_id, "cleanup", limit, sink)
        try:
            self.ask(host, "cleanup", None, invocation)
            host.link.send(Shutdown(), self._config.grace)
        except ChannelEndedError:
            pass  # it has gone by itself
        finally:
            host.dispose()


def _take_raw_output(host: Host, text: str) -> None:
    call: PendingCall | None = host.link.sole_pending()
    number = 0 if call is None else call.number
    host.link.take_in(Output(number, "stdout", text), call)


def _load_error(error: PluginError, descriptor: PluginDescriptor) -> LoadFailedError:
    if isinstance(error, PluginCrashedError):
        failed = LoadFailedError(
            f"its host ended while it loaded: {error.report.reason}",
            remote_traceback=error.report.words,
            report=error.report,
        )
    else:
        failed = load_error_from(error, descriptor.id)
    failed.plugin_id = descriptor.id
    failed.path = failed.path or descriptor.path
    failed.hint = failed.hint or hint_for_cell(failed.remote_traceback, descriptor.path)
    return failed
