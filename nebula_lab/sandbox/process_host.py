"""A plugin in a Jupyter kernel of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nebula_lab.confine import signals
from nebula_lab.confine.confinement import Guard
from nebula_lab.confine.machine import Machine
from nebula_lab.model.policy import Limits
from nebula_lab.reports.exit_report import EndCause, ExitReport, RunningCall
from nebula_lab.reports.stacks import HostStacks
from nebula_lab.sandbox.base import Host
from nebula_lab.sandbox.ending import Ending, with_words
from nebula_lab.sandbox.family import Family
from nebula_lab.sandbox.host_files import HostFiles
from nebula_lab.sandbox.host_group import HostGroup
from nebula_lab.sandbox.kernel_process import KernelOrder, Launches
from nebula_lab.sandbox.last_words import LastWords
from nebula_lab.sandbox.look import Look
from nebula_lab.sandbox.process_look import BEFORE_CHILDREN, look_at
from nebula_lab.sandbox.profile import Profile
from nebula_lab.sandbox.proxy_end import ProxyEnd
from nebula_lab.sandbox.stack_dump import StackDump
from nebula_lab.sandbox.started import Moment, Moments
from nebula_lab.sandbox.surroundings import Surroundings
from nebula_lab.sandbox.sweep import Sweep
from nebula_lab.sandbox.usage import UsageWatch, duties
from nebula_lab.transport.call_link import PendingCall
from nebula_lab.transport.host_link import HostLink
from nebula_lab.transport.loop import LoopThread


@dataclass(frozen=True)
class Berth:
    """Where a kernel is to be.

    Attributes:
        title: shown in lists of processes.
        folder: for its files; not there yet.
        mark: what left-behind processes are found by.
        surroundings: what it inherits.
        profile: how it is confined.
        owner: pidfd of this process.
        group: makes its control group.
        entrust: gives the pidfd of a process to whoever ends it if this process is killed.
    """

    title: str
    folder: Path
    mark: str
    surroundings: Surroundings
    profile: Profile
    owner: int
    group: Callable[[], HostGroup] = lambda: HostGroup(None)
    entrust: Callable[[int], object] = lambda _: None


class ProcessHost(Host):
    """A kernel process, started but not greeted yet.

    Args:
        berth: where it is to be.
        loop: watches it.
        launcher: starts it.
        sweep: ends what it left behind.

    Raises:
        OSError: it could not be started.
    """

    def __init__(self, berth: Berth, loop: LoopThread, launcher: Launches, sweep: Sweep) -> None:
        super().__init__()
        self._loop = loop
        self._sweep = sweep
        self._mark = berth.mark
        self._owner_pid = os.getpid()
        self._ending = Ending()
        self._status: int | None = None
        self._reporting = threading.Lock()
        self._report: ExitReport | None = None
        self._disposing = threading.Lock()
        self._disposed = False
        self._exited = threading.Event()
        self._files = HostFiles(berth.folder)
        self.scratch_dir = self._files.scratch
        self.plugin_dir = self._files.plugin
        self.connection_file = self._files.connection_file
        self._stacks = StackDump()
        if berth.profile.confinement.guard is not Guard.NONE:
            self.moments = Moments()
        self._words = LastWords(loop, lambda text: self.on_raw_output(text))
        self._guard = berth.profile.confinement.guard
        self._binds = berth.profile.confinement.binds
        self._usage: UsageWatch | None = None
        self._group = HostGroup(None)
        self._proxy = ProxyEnd(berth.profile.confinement.network)
        ours, theirs = socket.socketpair()
        self._channel = os.fstat(theirs.fileno()).st_ino
        # Whoever reads the channel reads the pipe first; it may only be still at it.
        self.collect_output = self._words.settle  # type: ignore[method-assign]
        self.link = HostLink(ours, loop)
        readable = self._words.readable
        self.link.attend(readable, self._words.collect)
        self._words.on_end = partial(self.link.neglect, readable)
        try:
            self._group = berth.group()
            self._process = launcher.launch(self._order(berth, theirs.fileno()))
        except BaseException:
            self.link.close()
            self._words.close()
            self._close_own()
            self._proxy.close()
            self._group.close()
            self._files.remove()
            raise
        finally:
            theirs.close()
            self._group.started()
            self._proxy.started()
            self._words.started()
        self.pid = self._process.pid
        berth.entrust(self._process.pidfd)
        loop.watch(self._process.pidfd, self._on_exit)

    def _order(self, berth: Berth, channel: int) -> KernelOrder:
        return KernelOrder(
            title=berth.title,
            mark=berth.mark,
            arguments=self._files.kernel_arguments,
            surroundings=berth.surroundings,
            variables=berth.profile.environment_variables(
                berth.surroundings, berth.mark, self._files.places
            ),
            confined=berth.profile.confined(self._files.places),
            channel=channel,
            owner=berth.owner,
            output=self._words.writable,
            stacks=self._stacks.fileno(),
            proxy=self._proxy.for_host,
            entrances=self._group.entrances,
        )

    def serve_hosts(self, allowed: tuple[str, ...], on_refused: Callable[[str, int], None]) -> None:
        """Serve the plugin's proxy, if it has one; once the host has been greeted.

        Raises:
            OSError: the host has not given what the proxy is to listen on.
        """
        self._proxy.serve(allowed, on_refused)

    def watch_usage(self, limits: Limits, machine: Machine) -> None:
        """Hold the host to its limits; once it has been greeted, before its plugin.

        Its group does it, if it has one, and what nothing in the kernel does is looked at.

        Raises:
            OSError: there are no descriptors left for it.
        """
        held = self._group.hold(limits, starts_others=self._guard is not Guard.NONE)
        watched = duties(limits, machine, held, binds=self._binds)
        if not watched.are_any:
            return
        family = self._family()
        places, is_busy, lent = self._files.places, lambda: self.link.is_busy, self.link.lent
        self._usage = UsageWatch(
            family,
            places,
            limits,
            watched,
            self._loop,
            is_busy,
            lent,
            self._end,
            lambda memory: self.on_memory(memory),
            self._channel,
        )
        self._usage.start()

    def _family(self) -> Family:
        return Family(self._process.pid, self._process.pidfd, self._guard is not Guard.NONE)

    @property
    def is_alive(self) -> bool:
        return self.link.ended is None and not self._process.has_exited()

    def _on_exit(self) -> None:
        self._loop.unwatch(self._process.pidfd)
        if self._usage is not None:
            self._usage.close()
        # While its pid still holds its group's number, kill what the plugin left behind.
        self._process.kill_group()
        self._group.kill()
        self._sweep.after(self._mark, self._note_end)

    def _note_end(self) -> None:
        self._ending.note()
        self._status = self._process.collect()
        self._ending.stopped_at(self._group.new_stops())
        self._group.remove_soon(self._loop)
        self._words.collect()
        self.on_memory(0)
        self._exited.set()
        self.on_exit()

    def new_stops(self) -> frozenset[str]:
        return self._group.new_stops()

    def executing(self) -> int:
        return self._stacks.executing()

    def look(self) -> Look:
        try:
            family = self._family()
        except OSError:  # it is gone, or there are no descriptors left
            return Look(lambda: HostStacks(trouble="it could not be looked at"))
        return look_at(family, self._guard, self._stacks, self.source_lines)

    def interrupt(self, call: PendingCall) -> None:
        if self._usage is not None:
            self._usage.lenient()  # a stopped process takes no signal
        self._group.lenient(self._loop)
        self._process.signal(signals.INTERRUPT)

    def insist(self, call: PendingCall, *, is_last: bool) -> None:
        # Its handler in C reads frames without Python's lock. If code in Python goes on meanwhile,
        # which has the time to do so where another thread takes the signal, it reads what is no
        # frame any more, and the process dies of it. So it is for a host that runs no Python.
        if is_last and self._stacks.is_untouched():
            self._process.signal(signals.STACKS)
        # A thread that is about to wait does so though a signal has just come: come again.
        self._process.signal(signals.INTERRUPT)

    def end_started(self, moment: Moment) -> None:
        with contextlib.suppress(OSError):
            family = self._family()
            try:
                family.kill_since(moment, BEFORE_CHILDREN[self._guard])
            finally:
                family.close()

    def _end(self, reason: str) -> None:
        """Kill it for what it did, unless it has ended by itself."""
        if not self._process.has_exited():
            self._ending.kill(f"killed, since {reason}", EndCause.OVER_LIMIT)
        self.kill()

    def kill(self, reason: str = "") -> None:
        if os.getpid() != self._owner_pid:
            return
        if self._usage is not None:
            self._usage.let_go()  # what has left its group may outlive it, and is not to be stopped
        if not self._process.has_exited():  # else it ended for a reason of its own
            self._ending.kill(
                f"killed by the manager: {reason}" if reason else "killed by the manager"
            )
            if self._guard is Guard.SUBREAPER and not self._kill_family():
                return
        self._process.kill_group()
        self._group.kill()

    def _close_own(self) -> None:
        self._stacks.close()
        if self.moments is not None:
            self.moments.close()

    def _kill_family(self) -> bool:
        """Kill all that is below the first process, which adopts what is left behind.

        Returns:
            Whether that was possible. If not, the first process has been told to do it, and must
            not be killed.
        """
        with contextlib.suppress(OSError):
            family = self._family()
            try:
                family.kill()
            finally:
                family.close()
            return True
        self._process.signal(signals.END)
        self._process.signal(signal.SIGCONT)  # it may have been stopped for that
        return False

    def exit_report(self, timeout: float) -> ExitReport:
        if os.getpid() != self._owner_pid:
            return ExitReport("it belongs to the process that this one was forked from")
        # Before it is over: whoever waits for a call takes it back when told.
        calls = self.link.running()
        ended = self.link.ended
        talks_rubbish = ended is not None and ended.is_protocol_error
        if talks_rubbish or not self._exited.wait(timeout):
            self._ending.kill(self._why_killed(), EndCause.BROKEN_PROTOCOL)
            self.kill()
            self._exited.wait(timeout)
        with self._reporting:  # once: its files will be gone, and its calls
            if self._report is None:
                self._report = self._reported(calls)
            return self._report

    def _reported(self, calls: tuple[RunningCall, ...]) -> ExitReport:
        threads = None if self._usage is None else self._usage.threads
        report = self._ending.report(self._status, self._process.used, self.policy, threads)
        tail = self._words.lines()
        # Where Python itself gives up, it writes to its error output whatever it was told.
        said = f"{self._words.said}\n{self._stacks.since(0)}"
        return with_words(report, said, tail, calls, self.source_lines)

    def _why_killed(self) -> str:
        ended = self.link.ended
        if ended is None:
            return "it no longer answered, and was killed"
        if ended.is_protocol_error:
            return f"it sent what makes no sense ({ended.reason}), and was killed"
        return "it closed its channel without ending, and was killed"

    def dispose(self) -> None:
        if os.getpid() != self._owner_pid:
            return  # the kernel and its files are not the fork's
        with self._disposing:
            if self._disposed:
                return
            self.kill()
            self._exited.wait(10.0)
            if self._usage is not None:
                self._loop.call(self._usage.close)
            self.link.close()
            self._words.close()
            self._close_own()
            self._proxy.close()
            self._process.release()
            self._group.close()
            self._files.remove()
            self._disposed = True  # at last: an interrupted one is to be finished later
