"""Sandbox None: the same agent, on a thread of the manager's own process.

Nothing is isolated here. Values are copied as they are elsewhere, so that a plugin behaves alike
in every sandbox; what it prints goes to the caller's cell because it runs in the caller's context.
A thread can't be killed: one that does not stop when asked is left behind, and says so.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
from contextvars import Context
from functools import partial
from pathlib import Path
from typing import Any

from nebula_lab.agent import blocking, concurrent
from nebula_lab.agent.job import Job
from nebula_lab.agent.server import Server, Work
from nebula_lab.errors import ExitReport
from nebula_lab.link.channel import ChannelEndedError
from nebula_lab.model import SandboxMode
from nebula_lab.sandbox.base import Host, HostSpec, Sandbox
from nebula_lab.sandbox.thread_interrupts import ThreadInterrupts
from nebula_lab.transport.host_link import HostLink, PendingCall
from nebula_lab.transport.loop import LoopThread


class _ThreadServer(Server):
    """Serves on a thread that `interrupts` can stop, instead of on a main thread."""

    def __init__(self, interrupts: ThreadInterrupts, sock: socket.socket, **options: Any) -> None:
        super().__init__(sock, **options)
        self._of_thread = interrupts

    def _uninterrupted(self) -> contextlib.AbstractContextManager[None]:
        if threading.get_ident() != self._thread:
            return contextlib.nullcontext()
        return self._of_thread


class InProcessHost(Host):
    """An agent on a thread."""

    after_kill = (
        "It did not stop when interrupted. A thread can't be killed: it was left behind, and "
        "another took its place. With sandbox Process it would have been ended."
    )

    def __init__(self, spec: HostSpec, loop: LoopThread, scratch_dir: Path) -> None:
        super().__init__()
        ours, theirs = socket.socketpair()
        self.link = HostLink(ours, loop)
        self.scratch_dir = scratch_dir
        scratch_dir.mkdir(parents=True)
        self._loop = loop
        self._theirs = theirs
        # Of this host alone, in whichever manager of this process.
        self._life = f"_{scratch_dir.parents[1].name.replace('-', '_')}_{spec.life}"
        self._contexts: dict[int, Context] = {}
        self._interrupts = ThreadInterrupts()
        self._reason = ""
        self._disposed = False
        self._thread = threading.Thread(
            target=self._run, name=f"nebula-{spec.plugin_id}", daemon=True
        )
        self._thread.start()
        self.link.greet(spec.start_timeout)

    def _run(self) -> None:
        server = _ThreadServer(
            self._interrupts,
            self._theirs,
            run_in_context=self._in_context,
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
            server.channel.close()
            self._loop.call(self.on_exit)

    def enter(self, call: PendingCall, context: Context) -> None:
        self._contexts[call.number] = context

    def _in_context(self, job: Job, work: Work) -> Any:
        context = self._contexts.pop(job.call, None)
        if context is not None:
            work = partial(context.run, _with_job, job, work)
        if threading.current_thread() is not self._thread:
            return work()  # one of several at once, which can't be interrupted one by one
        return self._interrupts.run(job.call, work)

    def interrupt(self, call: PendingCall) -> None:
        self._interrupts.interrupt(call.number)

    def kill(self) -> None:
        self._reason = self._reason or "it did not stop; its thread was left behind"
        self.link.close()
        self._interrupts.interrupt()

    def exit_report(self, timeout: float) -> ExitReport:
        self._thread.join(timeout)
        if self._thread.is_alive():
            self.kill()
        return ExitReport(self._reason or "the plugin's thread ended")

    def dispose(self) -> None:
        if self._disposed:
            return
        self._disposed = True
        self.link.close()
        self._thread.join(1.0)
        if self._thread.is_alive():
            self._interrupts.interrupt()
        shutil.rmtree(self.scratch_dir, ignore_errors=True)


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
        run_dir: scratch folders go there.
    """

    mode = SandboxMode.NONE

    def __init__(self, loop: LoopThread, run_dir: Path) -> None:
        self._loop = loop
        self._run_dir = run_dir

    def start(self, spec: HostSpec) -> Host:
        return InProcessHost(spec, self._loop, self._run_dir / f"h{spec.life}" / "scratch")

    def close(self) -> None:
        """Nothing is shared."""
