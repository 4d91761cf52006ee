"""What every sandbox offers to the manager."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nebula_lab.confine.grants import Grant
from nebula_lab.confine.machine import Machine
from nebula_lab.environments.environment import Environment
from nebula_lab.environments.import_folders import ImportFolder
from nebula_lab.model import SandboxMode
from nebula_lab.model.policy import EffectivePolicy
from nebula_lab.reports.exit_report import ExitReport
from nebula_lab.sandbox.look import Look
from nebula_lab.sandbox.started import Moment, Moments
from nebula_lab.transport.call_link import CallLink, PendingCall

if TYPE_CHECKING:
    from nebula_lab.environments.stages import BuildWatcher
    from nebula_lab.sandbox.source_lines import SourceLines


@dataclass(frozen=True)
class Grants:
    """The files that a plugin is given, besides those that every host sees.

    Attributes:
        given: each with what is there.
        hidden: real paths of what is not to be seen in them, nor elsewhere.
    """

    given: tuple[Grant, ...] = ()
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class HostSpec:
    """What a host is started for.

    Attributes:
        plugin_id: the plugin that will live in it.
        life: counts the hosts of one manager from 1, so that no two share a name.
        start_timeout: seconds until a host that does not answer is given up.
        policy: what holds for the plugin.
        grants: the files that it may use by it.
        environment: the Python that its plugin chose; None for the manager's own.
    """

    plugin_id: str
    life: int
    start_timeout: float
    policy: EffectivePolicy
    grants: Grants = Grants()
    environment: Environment | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """What a host uses that has no process of its own.

    Attributes:
        memory: bytes; None where that is not known.
        cpu_time: seconds of processor time; None where that is not known.
    """

    memory: int | None = None
    cpu_time: float | None = None


class Host(abc.ABC):
    """A running host: an agent that waits for its plugin, or has it.

    Attributes:
        link: the channel to it.
        scratch_dir: a folder of the plugin's own, removed with the host.
        plugin_dir: a folder for the plugin's files, which it can only read.
        connection_file: for Jupyter front ends, where the host is a kernel.
        runs_in_context: it runs a call in the context of its caller, which is noted in the call.
        policy: what holds for its plugin; None as long as it has none.
        needs: the ids of the plugins that its own may call; None as long as it has none.
        peers: what stands for other plugins as long as it and they prove themselves together.
        source: the plugin's own file or folder there and what it is a copy of, by the names that
            people know; None as long as it has none.
        on_raw_output: is given text that was written past the channel, on the loop's thread.
        on_memory: told how many bytes it has, on the loop's thread, where that is looked at.
        on_exit: called once, on the loop's thread, when the host is gone.
        checkpoint: what its plugin saved last, for the host that takes its place; None where there
            is nothing.
        checkpoint_at: when that was, on the clock of `time.monotonic`.
        checkpoint_tried_at: when it was asked last, whether or not it could.
        checkpoint_had_company: calls went on there meanwhile, so it may have more to say since.
        checkpoint_is_due: the next call that ends leaves its place to one.
        calls_left: how many calls until then; None where they are not counted.
        keeps_state: whether its plugin has anything to save.
        moments: notes when calls begin; None where the plugin starts no processes to be ended.
    """

    link: CallLink
    scratch_dir: Path
    plugin_dir: Path
    pid: int | None = None
    connection_file: Path | None = None
    policy: EffectivePolicy | None = None
    needs: tuple[str, ...] | None = None
    source: tuple[Path, Path] | None = None
    runs_in_context = False
    checkpoint: Any = None
    checkpoint_at = 0.0
    checkpoint_tried_at = 0.0
    checkpoint_had_company = False
    checkpoint_is_due = False
    calls_left: int | None = None
    keeps_state = True
    moments: Moments | None = None
    # What became of a call that did not stop, for the error that its caller gets.
    after_kill = "It did not stop when interrupted, so its process was replaced."

    def __init__(self) -> None:
        self.on_raw_output: Callable[[str], None] = lambda text: None
        self.on_exit: Callable[[], None] = lambda: None
        self.on_memory: Callable[[int], object] = lambda memory: None
        self.peers: Mapping[str, Any] = {}
        self.manager_closes = False  # so whoever still waits for it is to be told just that
        self.is_spent = False  # it has answered its last call, and is to be replaced
        self.is_lost = False  # whoever supervises it has been told that it is gone

    def collect_output(self) -> None:  # noqa: B027 - few need it
        """Pass on what has been written past the channel until now."""

    def new_stops(self) -> frozenset[str]:
        """At which limits the kernel has stopped something of it since this was asked last.

        They are called as `wire.messages.OBSTACLES` are. What a plugin says of itself is not here.
        """
        return frozenset()

    def source_lines(self) -> SourceLines | None:
        """Finds the lines of its plugin as they run; None before it has one."""
        if self.source is None:
            return None
        from nebula_lab.sandbox.source_lines import SourceLines  # of no use before a mishap

        copy, original = self.source
        return SourceLines(copy.parent, original.parent)

    def executing(self) -> int:
        """The number of the call that its main thread runs now; 0 where none does, or none is told.

        A host says it of itself, and so may say anything.
        """
        return 0

    def used(self) -> Used | None:
        """What it uses now; None where it has a process, which can be asked. Any thread."""
        return None

    @abc.abstractmethod
    def look(self) -> Look:
        """Begin to find out what it is at, ahead of an interrupt; any thread."""

    @abc.abstractmethod
    def interrupt(self, call: PendingCall) -> None:
        """Make the host look at its messages, among them a `Cancel`, even while a call runs."""

    def insist(  # noqa: B027 - few can miss an interrupt
        self, call: PendingCall, *, is_last: bool
    ) -> None:
        """Do the same for a call that has not answered; more than once does no harm.

        Args:
            call: that one.
            is_last: one that has not even told what it is at is made to tell, for the look that
                was begun before.
        """

    def end_started(self, moment: Moment) -> None:  # noqa: B027 - few start any
        """End the processes that its plugin has started after a moment."""

    @abc.abstractmethod
    def kill(self, reason: str = "") -> None:
        """End the host at once, and what it has started, whatever it is doing.

        Args:
            reason: what for, if calls that run there are to fail with it.
        """

    @abc.abstractmethod
    def exit_report(self, timeout: float) -> ExitReport:
        """How the host ended; waits up to `timeout` seconds for it to be over, then kills it."""

    @abc.abstractmethod
    def dispose(self) -> None:
        """End the host if it still runs, and remove every trace of it. Can be called again."""


class Sandbox(abc.ABC):
    """A way of isolating plugins."""

    mode: SandboxMode

    @abc.abstractmethod
    def start(self, spec: HostSpec) -> Host:
        """Start a host and greet it; any thread.

        Raises:
            LoadFailedError: it did not come up; the error says why and what it last wrote.
        """

    def is_ready(self) -> bool:
        """Whether all is there that is made once, for all hosts of all managers."""
        return True

    def get_ready(self, watcher: BuildWatcher) -> None:  # noqa: B027 - few need anything
        """Make what is not there yet, which can take a minute; any thread.

        Args:
            watcher: is told how far it has come, and asked whether it is still wanted.

        Raises:
            PluginError: it can't be made, or is not wanted any more.
        """

    def stop_preparing(self) -> None:  # noqa: B027 - few need anything
        """Break off what is being made, and make nothing more. Can be called again."""

    def machine(self) -> Machine | None:
        """What can be enforced here, tried once; None where nothing is to be."""
        return None

    def kept_folders(self) -> tuple[Path, ...]:
        """Real paths of our own folders, which no plugin sees."""
        return ()

    def import_folders(self) -> tuple[ImportFolder, ...]:
        """Where plugins import from besides their environment, and what they see of that."""
        return ()

    def warm_up(self) -> None:  # noqa: B027 - there may be nothing to do beforehand
        """Get ready for hosts to be started soon; it does not wait for anything."""

    def disown(self) -> None:  # noqa: B027 - nor anything to let go of
        """Let go of everything in a fork of the process that owns it."""

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of what the hosts shared; they have been disposed of before."""
