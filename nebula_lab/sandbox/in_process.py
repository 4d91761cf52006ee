"""Sandbox None: the same agent, on a thread of the manager's own process.

Nothing is isolated here. Values are copied as they are elsewhere, so that a plugin behaves alike
in every sandbox; what it prints goes to the caller's cell because it runs in the caller's context.
A thread can't be killed: one that does not stop when asked is left behind, and says so.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from contextvars import Context
from functools import partial
from pathlib import Path
from typing import Any

from nebula_lab.agent import blocking, concurrent
from nebula_lab.agent.job import Job
from nebula_lab.agent.server import Server, Work
from nebula_lab.link.channel import ChannelEndedError
from nebula_lab.model import SandboxMode
from nebula_lab.reports.exit_report import ExitReport
from nebula_lab.sandbox import removal
from nebula_lab.sandbox.base import Host, HostSpec, Sandbox
from nebula_lab.sandbox.look import Look
from nebula_lab.sandbox.run_folder import RunFolder
from nebula_lab.sandbox.thread_interrupts import ThreadInterrupts
from nebula_lab.sandbox.thread_look import look_at_threads
from nebula_lab.transport.host_link import HostLink, PendingCall
from nebula_lab.transport.loop import LoopThread


class _ThreadServer(Server):
    """Serves on a thread that `interrupts` can stop, instead of on a main thread."""

    def __init__(
        self,
        interrupts: ThreadInterrupts,
        context_of: Callable[[int], Context | None],
        sock: socket.socket,
        **options: Any,
    ) -> None:
        super().__init__(sock, **options)
        self._of_thread = interrupts
        self._context_of = context_of
        self.guard_step = self._guard_step

    def _uninterrupted(self) -> contextlib.AbstractContextManager[None]:
        if threading.get_ident() != self._thread:
            return contextlib.nullcontext()
        return self._of_thread

    def context_of(self, job: Job) -> Context:
        return self._context_of(job.call) or super().context_of(job)

    def _guard_step(self, job: Any, work: Work) -> Any:
        return self._of_thread.run(job.call, work)


class InProcessHost(Host):
    """An agent on a thread."""

    runs_in_context = True
    after_kill = (
        "It did not stop when interrupted. A thread can't be killed: it was left behind, and "
        "another took its place. With sandbox Process it would have been ended."
    )

    def __init__(self, spec: HostSpec, loop: LoopThread, scratch_dir: Path) -> None:
        super().__init__()
        ours, theirs = socket.socketpair()
        self.link = HostLink(ours, loop)
        self.scratch_dir = scratch_dir
        self.plugin_dir = scratch_dir.with_name("plugin")
        for folder in (scratch_dir, self.plugin_dir):
            folder.mkdir(parents=True)
        self._loop = loop
        self._theirs = theirs
        # Of this host alone, in whichever manager of this process.
        self._life = f"_{scratch_dir.parents[1].name.replace('-', '_')}_{spec.life}"
        self._interrupts = ThreadInterrupts()
        self._executing = [0]
        self._reason = ""
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

    def _run(self) -> None:
        server = _ThreadServer(
            self._interrupts,
            self._context_of,
            self._theirs,
            run_in_context=self._in_context,
            executing=self._executing,
            module_life=self._life,
        )
        try:
            if server.greet() and blocking.serve(server):
                concurrent.serve(server)
        except ChannelEndedError:
            pass  # the manager hung up
        except BaseException as error:  # noqa: BLE001 - on this thread nobody else would see it
            self._reason = f"the plugin's thread ended: {error!r}"
        finally:
            if server.resident is not None:
                server.resident.forget()  # without a cleanup, nobody has done it yet
            server.channel.close()
            self._loop.call(self.on_exit)

    def _context_of(self, number: int) -> Context | None:
        call = self.link.pending(number)
        return None if call is None else call.context

    def _in_context(self, job: Job, work: Work) -> Any:
        context = self._context_of(job.call)
        if context is not None:
            work = partial(context.run, _with_job, job, work)
        if threading.current_thread() is not self._thread:
            return work()  # one of several at once, which can't be interrupted one by one
        return self._interrupts.run(job.call, work)

    def executing(self) -> int:
        return self._executing[0]

    def look(self) -> Look:
        return look_at_threads(self._thread.ident, self.source_lines())

    def interrupt(self, call: PendingCall) -> None:
        self._interrupts.interrupt(call.number)

    def kill(self, reason: str = "") -> None:
        self._reason = self._reason or f"{reason or 'it did not stop'}; its thread was left behind"
        self.link.close()
        self._interrupts.interrupt()

    def exit_report(self, timeout: float) -> ExitReport:
        calls = self.link.running()
        self._thread.join(timeout)
        if self._thread.is_alive():
            self.kill()
        return ExitReport(self._reason or "the plugin's thread ended", calls=calls)

    def dispose(self) -> None:
        if self._disposed or os.getpid() != self._owner_pid:
            return  # a fork has none of our threads, and the files are not its own
        self.link.close()
        self._thread.join(1.0)
        if self._thread.is_alive():
            self._interrupts.interrupt()
        removal.remove(str(self.scratch_dir.parent))
        self._disposed = True  # at last: an interrupted one is to be finished later


def _with_job(job: Job, work: Work) -> Any:
    from nebula_lab.agent.job import current_job

    token = current_job.set(job)
    try:
        return work()
    finally:
        current_job.reset(token)


class InProcessSandbox(Sandbox):
    """Sandbox None.

    Args:
        loop: watches the channels.
        run_folder: scratch folders go there.
    """

    mode = SandboxMode.NONE

    def __init__(self, loop: LoopThread, run_folder: RunFolder) -> None:
        self._loop = loop
        self._run_folder = run_folder

    def start(self, spec: HostSpec) -> Host:
        folder = self._run_folder.ensure() / f"h{spec.life}"
        return InProcessHost(spec, self._loop, folder / "scratch")

    def close(self) -> None:
        """Nothing is shared."""
