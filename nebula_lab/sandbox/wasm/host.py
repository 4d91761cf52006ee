"""A plugin in a machine, on a thread of the manager's process.

The thread speaks the protocol that every host speaks, so that calls, deadlines, reloads and
crashes are what they are elsewhere. A machine that was stopped in the middle of something can't go
on: its call is answered, and then the host waits to be replaced.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nebula_lab.agent import blocking
from nebula_lab.agent.job import Job, JobCancelledError
from nebula_lab.agent.server import Server
from nebula_lab.link.channel import ChannelEndedError
from nebula_lab.reports.exit_report import EndCause, ExitReport
from nebula_lab.reports.stacks import HostStacks
from nebula_lab.sandbox import removal
from nebula_lab.sandbox.base import Host, HostSpec
from nebula_lab.sandbox.folder_size import sizes
from nebula_lab.sandbox.look import Look
from nebula_lab.sandbox.wasm.exchange import Exchange
from nebula_lab.sandbox.wasm.guest_values import GuestError, NonsenseError
from nebula_lab.sandbox.wasm.machine import Confines, Folder, Machine, MachineEndedError, ticker
from nebula_lab.sandbox.wasm.resident import WasmResident
from nebula_lab.transport.host_link import HostLink, PendingCall
from nebula_lab.transport.loop import LoopThread
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
        sock: socket.socket,
        **options: Any,
    ) -> None:
        super().__init__(sock, **options)
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
            raise error  # nobody is left to answer: the thread ends, and says why
        return super().failure(job, error)


class WasmHost(Host):
    """A machine and the thread that it runs on."""

    after_kill = (
        "It did not stop when interrupted: it waited for something outside its machine. It was "
        "left behind, and another took its place. With sandbox Process it would have been ended."
    )

    def __init__(
        self, spec: HostSpec, loop: LoopThread, folder: Path, component: Component
    ) -> None:
        super().__init__()
        ours, theirs = socket.socketpair()
        self.link = HostLink(ours, loop)
        self.scratch_dir = folder / "scratch"
        self.plugin_dir = folder / "plugin"
        self._exchange = Exchange(folder / "exchange")
        for one in (self.scratch_dir, self.plugin_dir, self._exchange.folder):
            one.mkdir(parents=True)
        self.plugin_id = spec.plugin_id
        self._spec = spec
        self._loop = loop
        self._theirs = theirs
        self._component = component
        self._resident: WasmResident | None = None
        self._executing = [0]
        self._ended: MachineEndedError | NonsenseError | None = None
        self._reason = ""
        self._looks = 0
        self._was_killed = False
        self._disposed = False
        self._owner_pid = os.getpid()
        self._thread = threading.Thread(
            target=self._run, name=f"nebula-{spec.plugin_id}", daemon=True
        )
        self._thread.start()
        try:
            self.link.greet(spec.start_timeout)
        except BaseException:
            self.dispose()
            raise

    # On the thread

    def _run(self) -> None:
        server = _WasmServer(
            self._resident_for, self._note_end, self._theirs, executing=self._executing
        )
        try:
            if server.greet():
                blocking.serve(server)
        except ChannelEndedError:
            pass  # the manager hung up
        except (MachineEndedError, NonsenseError):
            pass  # noted
        except BaseException as error:  # noqa: BLE001 - on this thread nobody else would see it
            self._reason = f"the plugin's thread ended: {error!r}"
        finally:
            if self._resident is not None:
                self._resident.forget()
            server.channel.close()
            self._loop.call(self.on_exit)

    def _resident_for(self, load: Load, config: Any, server: Server) -> WasmResident:
        self._resident = WasmResident(load, config, server, self._exchange, self._machine)
        return self._resident

    def _machine(self, functions: Mapping[str, Callable[..., Any]]) -> Machine:
        return Machine(self._component, self._confines(), functions, self._look_after)

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
                Folder(self.plugin_dir, str(self.plugin_dir)),
                Folder(self.scratch_dir, str(self.scratch_dir), is_writable=True),
                Folder(self._exchange.folder, _EXCHANGE, is_writable=True),
                *granted,
            ),
            variables,
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

    def executing(self) -> int:
        return self._executing[0]

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
        ticker().now()

    def kill(self, reason: str = "") -> None:
        why = f"the manager ended it: {reason}" if reason else "the manager ended it"
        self._reason = self._reason or why
        self._was_killed = True
        self.link.close()
        machine = None if self._resident is None else self._resident.machine
        if machine is not None:
            machine.watch.end("the manager ended it")
            ticker().now()

    def exit_report(self, timeout: float) -> ExitReport:
        calls = self.link.running()
        self._thread.join(timeout)
        if self._thread.is_alive():
            self.kill()
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
        return ExitReport(self._reason or "the plugin's thread ended", calls=calls)

    def dispose(self) -> None:
        if self._disposed or os.getpid() != self._owner_pid:
            return  # a fork has none of our threads, and the files are not its own
        self.link.close()
        self._thread.join(0.05)
        if self._thread.is_alive():
            self.kill()
            self._thread.join(1.0)
        removal.remove(str(self.scratch_dir.parent))
        self._disposed = True  # at last: an interrupted one is to be finished later


def _variables(names: tuple[str, ...] | None) -> dict[str, str]:
    chosen = os.environ if names is None else {n: os.environ[n] for n in names if n in os.environ}
    kept = {name: os.environ[name] for name in ("LANG", "TZ") if name in os.environ}
    return {**kept, **chosen}
