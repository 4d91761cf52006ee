"""A plugin in a machine, on a thread of the manager's process.

The thread speaks the protocol that every host speaks, so that calls, deadlines, reloads and
crashes are what they are elsewhere. A machine that was stopped in the middle of something can't go
on: its call is answered, and then the host waits to be replaced.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nebula_lab.agent import blocking
from nebula_lab.agent.job import Job, JobCancelledError
from nebula_lab.agent.server import Server
from nebula_lab.link.thread_channel import ThreadChannel
from nebula_lab.reports.exit_report import EndCause, ExitReport, RunningCall
from nebula_lab.reports.stacks import HostStacks
from nebula_lab.sandbox.base import HostSpec, Used
from nebula_lab.sandbox.folder_size import sizes
from nebula_lab.sandbox.look import Look
from nebula_lab.sandbox.thread_host import ThreadHost
from nebula_lab.sandbox.wasm.exchange import Exchange
from nebula_lab.sandbox.wasm.guest_values import GuestError, NonsenseError
from nebula_lab.sandbox.wasm.machine import (
    Confines,
    Folder,
    Functions,
    Machine,
    MachineEndedError,
)
from nebula_lab.sandbox.wasm.resident import WasmResident
from nebula_lab.transport.call_link import PendingCall
from nebula_lab.transport.loop import LoopThread
from nebula_lab.transport.thread_link import ThreadLink
from nebula_lab.wire.messages import Failure, Load
from nebula_lab.wire.values import decode_value

if TYPE_CHECKING:
    from wasmtime.component import Component

# What Python there has for itself, so that a limit means the same as elsewhere.
OWN_MEMORY = 64 * 2**20
_LOOK_EVERY = 25  # ticks between two looks at how large the plugin's files are
_MOST_FILES = 100_000
_EXCHANGE = "/exchange"
_TOLD = 0.1  # seconds that a call has to end by itself


class _WasmServer(Server):
    """Serves a plugin in a machine.

    Args:
        resident: makes what stands for the plugin.
    """

    def __init__(
        self,
        resident_for: Callable[[Load, Any, Server], WasmResident],
        on_end: Callable[[BaseException], None],
        line: ThreadChannel,
        **options: Any,
    ) -> None:
        super().__init__(line, **options)
        self._resident_for = resident_for
        self._on_end = on_end

    def make_resident(self, message: Load) -> Any:
        config = decode_value(message.config, "config", is_frozen=True)
        return self._resident_for(message, config, self)

    def failure(self, job: Job, error: BaseException) -> Failure:
        if isinstance(error, GuestError):
            return error.failure(job.call)
        if isinstance(error, MachineEndedError | NonsenseError):
            self._on_end(error)
            if isinstance(error, MachineEndedError) and error.was_stopped:
                return super().failure(job, JobCancelledError(error.reason))
            if isinstance(error, MachineEndedError) and error.limit:
                return Failure(job.call, "raised", "", error.reason, "", obstacle=error.limit)
            raise error  # nobody is left to answer: the thread ends, and says why
        return super().failure(job, error)


class WasmHost(ThreadHost):
    """A machine and the thread that it runs on."""

    after_kill = (
        "It did not stop when interrupted: it waited for something outside its machine. It was "
        "left behind, and another took its place. With sandbox Process it would have been ended."
    )

    def __init__(
        self, spec: HostSpec, loop: LoopThread, folder: Path, component: Component
    ) -> None:
        ours, self._theirs = ThreadChannel.pair()
        self.scratch_dir = folder / "scratch"
        self.plugin_dir = folder / "plugin"
        self._exchange = Exchange(folder / "exchange")
        folders = (self.scratch_dir, self.plugin_dir, self._exchange.folder)
        super().__init__(spec, ThreadLink(ours, loop), loop, folder, folders)
        self.plugin_id = spec.plugin_id
        self._spec = spec
        self._component = component
        self._resident: WasmResident | None = None
        self._ended: MachineEndedError | NonsenseError | None = None
        self._looks = 0
        self._was_killed = False
        self._begin(spec.start_timeout)

    # On the thread

    def _make_server(self) -> Server:
        return _WasmServer(
            self._resident_for, self._note_end, self._theirs, executing=self._executing
        )

    def _serve(self, server: Server) -> None:
        # What ended it in the middle has been noted.
        with contextlib.suppress(MachineEndedError, NonsenseError):
            if server.greet():
                blocking.serve(server)

    def _resident_for(self, load: Load, config: Any, server: Server) -> WasmResident:
        self._resident = WasmResident(
            load, config, server, self._exchange, self._machine, self._seen
        )
        return self._resident

    def _machine(self, functions: Mapping[str, Functions]) -> Machine:
        return Machine(self._component, self._confines(), functions, self._look_after)

    def _name_of(self, folder: Path) -> str:
        """What a folder of ours is called in the machine.

        Where runs are to come out the same, it is always called the same: what is in memory, and so
        what is computed, would differ with names.
        """
        has_fuel = self._spec.policy.limits.fuel is not None
        return f"/{folder.name}" if has_fuel else str(folder)

    def _seen(self, path: str) -> str:
        """What a file or folder of ours is called in the machine."""
        for folder in (self.plugin_dir, self.scratch_dir):
            if Path(path).is_relative_to(folder):
                return str(Path(self._name_of(folder), Path(path).relative_to(folder)))
        return path

    def _confines(self) -> Confines:
        policy = self._spec.policy
        granted = [
            Folder(Path(one.path), one.path, one.is_writable) for one in self._spec.grants.given
        ]
        variables = _variables(policy.rights.variables)
        return Confines(
            policy.limits.memory + OWN_MEMORY,
            policy.limits.cpu_percent,
            (
                Folder(self.plugin_dir, self._name_of(self.plugin_dir)),
                Folder(self.scratch_dir, self._name_of(self.scratch_dir), is_writable=True),
                Folder(self._exchange.folder, _EXCHANGE, is_writable=True),
                *granted,
            ),
            variables,
            policy.limits.fuel,
        )

    def _look_after(self) -> str | None:
        self._looks += 1
        if self._looks % _LOOK_EVERY:
            return None
        limit = self._spec.policy.limits.scratch
        found = sum(islice(sizes(str(self.scratch_dir)), _MOST_FILES))
        if found > limit:
            return f"it kept more in its folder than the {limit:,} bytes that it may"
        return None

    def _note_end(self, error: BaseException) -> None:
        if isinstance(error, MachineEndedError | NonsenseError):
            self._ended = self._ended or error
            self.is_spent = True

    # For the manager

    def is_left(self, timeout: float = 0.0) -> bool:
        """Whether its thread goes on for `timeout` seconds though it was killed."""
        if not self._was_killed:
            return False
        self._thread.join(timeout)
        return self._thread.is_alive()

    def used(self) -> Used:
        machine = None if self._resident is None else self._resident.machine
        memory = None if machine is None else machine.memory()
        return Used(memory, self._processor_time())

    def _processor_time(self) -> float | None:
        """Seconds that its thread has computed; None once it has ended."""
        import psutil

        threads = psutil.Process().threads()
        own = next((one for one in threads if one.id == self._thread.native_id), None)
        return None if own is None else own.user_time + own.system_time

    def look(self) -> Look:
        return Look(lambda: HostStacks(()))

    def interrupt(self, call: PendingCall) -> None:
        """Stop what runs. What waits for its host is told by the `Cancel` that came before."""
        resident = self._resident
        machine = None if resident is None else resident.machine
        if resident is None or machine is None or self._executing[0] != call.number:
            return
        if resident.is_waiting or not machine.is_running:
            return
        # What has been told otherwise, or is between two items, ends by itself and can go on.
        may_end = resident.streams or resident.told_call == call.number
        machine.watch.stop("it was interrupted", after=_TOLD if may_end else 0.0)
        machine.look_now()

    def kill(self, reason: str = "") -> None:
        why = f"the manager ended it: {reason}" if reason else "the manager ended it"
        self._reason = self._reason or why
        self._was_killed = True
        self.link.close()
        machine = None if self._resident is None else self._resident.machine
        if machine is not None:
            machine.watch.end("the manager ended it")
            machine.look_now()

    def _report(self, calls: tuple[RunningCall, ...]) -> ExitReport:
        ended = self._ended
        if isinstance(ended, MachineEndedError):
            cause = EndCause.EXITED if ended.exit_code is not None else EndCause.UNKNOWN
            words = tuple(ended.words.splitlines()[-20:])
            return ExitReport(
                ended.reason, ended.exit_code, stderr_tail=words, cause=cause, calls=calls
            )
        if isinstance(ended, NonsenseError):
            reason = f"it sent {ended}"
            return ExitReport(reason, cause=EndCause.BROKEN_PROTOCOL, calls=calls)
        return super()._report(calls)

    def _stop(self) -> None:
        self._thread.join(0.05)
        if self._thread.is_alive():
            self.kill()
            self._thread.join(1.0)


def _variables(names: tuple[str, ...] | None) -> dict[str, str]:
    chosen = os.environ if names is None else {n: os.environ[n] for n in names if n in os.environ}
    kept = {name: os.environ[name] for name in ("LANG", "TZ") if name in os.environ}
    return {**kept, **chosen}
