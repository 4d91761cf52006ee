"""Sandbox Process: a plugin in a Jupyter kernel of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec

from nebula_lab.errors import ExitReport, LoadFailedError
from nebula_lab.link.channel import ChannelEndedError
from nebula_lab.model import SandboxMode
from nebula_lab.sandbox.base import Host, HostSpec, Sandbox
from nebula_lab.sandbox.last_words import LastWords
from nebula_lab.sandbox.leftovers import MARK, kill_marked
from nebula_lab.sandbox.provisioner import PluginKernelManager, PluginKernelProvisioner
from nebula_lab.sandbox.sweeper import Sweeper
from nebula_lab.transport.host_link import HostLink, PendingCall
from nebula_lab.transport.loop import LoopThread

# Of the notebook's own kernel; a plugin's must not take them for its own.
_NOT_INHERITED = ("JPY_PARENT_PID", "JPY_SESSION_NAME", "JPY_INTERRUPT_EVENT", "MPLBACKEND")
_PRIVATE = 0o700


class ProcessHost(Host):
    """A kernel process. Use `ProcessSandbox.start` to get one."""

    def __init__(self, spec: HostSpec, loop: LoopThread, folder: Path, owner: int) -> None:
        super().__init__()
        self._loop = loop
        self._folder = folder
        self._ended_by_us = ""
        self._disposing = threading.Lock()
        self._disposed = False
        self._exited = threading.Event()
        self._mark = f"{owner_mark(folder.parent)}{spec.life}."
        self.scratch_dir = folder / "scratch"
        for path in (folder, self.scratch_dir, folder / "ipython"):
            path.mkdir(_PRIVATE)
        self.connection_file = folder / "kernel.json"
        self._words = LastWords(loop, lambda text: self.on_raw_output(text))
        ours, theirs = socket.socketpair()
        self.link = HostLink(ours, loop)
        try:
            self._provisioner = loop.run(self._launch(theirs, owner), spec.start_timeout)
        except BaseException:
            self.link.close()
            self._words.close()
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            theirs.close()
            self._words.started()
        assert self._provisioner.process is not None
        assert self._provisioner.pidfd is not None
        self.process: subprocess.Popen[bytes] = self._provisioner.process
        self.pid = self.process.pid
        self._pidfd = self._provisioner.pidfd
        loop.watch(self._pidfd, self._on_exit)

    async def _launch(self, theirs: socket.socket, owner: int) -> PluginKernelProvisioner:
        channel = theirs.fileno()
        command = [sys.executable, "-P", "-m", "nebula_lab.agent", str(channel), str(owner)]
        manager = PluginKernelManager(
            connection_file=str(self.connection_file), transport="ipc", autorestart=False
        )
        options = [
            "-f",
            "{connection_file}",
            f"--ipython-dir={self._folder / 'ipython'}",
            "--HistoryManager.hist_file=:memory:",
        ]
        # Preset, so that jupyter_client need not find ours among the installed entry points.
        kernel_spec = KernelSpec(
            argv=command + options, display_name="nebula_lab", language="python"
        )
        manager._kernel_spec = kernel_spec
        provisioner = PluginKernelProvisioner(
            kernel_id=self._mark, kernel_spec=kernel_spec, parent=manager
        )
        manager.provisioner = provisioner
        await manager.start_kernel(
            env=self._environment(), pass_fds=(channel, owner), output=self._words.writable
        )
        self._manager = manager
        return provisioner

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key not in _NOT_INHERITED}
        # Frames of ours are no frames of the plugin's, and debugpy's warning is about them.
        return kept | {MARK: self._mark, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}

    def _on_exit(self) -> None:
        self._loop.unwatch(self._pidfd)
        self._sweep()
        self.process.wait()
        self._words.collect()
        self._exited.set()
        self.on_exit()

    def _sweep(self) -> None:
        """Kill what the plugin left behind, while its pid still holds its group's number."""
        self._provisioner.kill_group()
        kill_marked(self._mark)

    def collect_output(self) -> None:
        self._words.collect()

    def interrupt(self, call: PendingCall) -> None:
        self._provisioner.signal(signal.SIGINT)

    def kill(self) -> None:
        self._ended_by_us = self._ended_by_us or "killed by the manager"
        self._provisioner.kill_group()

    def exit_report(self, timeout: float) -> ExitReport:
        reason = self._ended_by_us
        ended = self.link.ended
        talks_rubbish = ended is not None and ended.is_protocol_error
        if talks_rubbish or not self._exited.wait(timeout):
            reason = reason or self._why_killed()
            self.kill()
            self._exited.wait(timeout)
        code = self.process.returncode
        tail = self._words.lines()
        if code is not None and code < 0:
            name = _signal_name(-code)
            return ExitReport(reason or f"killed by {name}", None, name, tail)
        return ExitReport(reason or f"exited with code {code}", code, "", tail)

    def _why_killed(self) -> str:
        ended = self.link.ended
        if ended is None:
            return "it no longer answered, and was killed"
        if ended.is_protocol_error:
            return f"it sent what makes no sense ({ended.reason}), and was killed"
        return "it closed its channel without ending, and was killed"

    def dispose(self) -> None:
        with self._disposing:
            if self._disposed:
                return
            self._disposed = True
        self.kill()
        self._exited.wait(10.0)
        self.link.close()
        self._words.close()
        self._provisioner.release()
        self._manager.cleanup_connection_file()
        shutil.rmtree(self._folder, ignore_errors=True)

    def last_words(self) -> tuple[str, ...]:
        return self._words.lines()


def owner_mark(run_dir: Path) -> str:
    """What the marks of a manager's hosts start with."""
    return f"{os.getpid()}-{run_dir.name}-"


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


class ProcessSandbox(Sandbox):
    """Sandbox Process.

    Args:
        loop: launches kernels and watches them.
        run_dir: connection files, sockets and scratch folders go there; only the user may enter.
    """

    mode = SandboxMode.PROCESS

    def __init__(self, loop: LoopThread, run_dir: Path) -> None:
        self._loop = loop
        self._run_dir = run_dir
        self._starting = threading.Lock()
        self._sweeper: Sweeper | None = None
        self._owner = os.pidfd_open(os.getpid())

    def start(self, spec: HostSpec) -> Host:
        with self._starting:
            if self._sweeper is None:
                self._sweeper = Sweeper(self._run_dir, owner_mark(self._run_dir))
        folder = self._run_dir / f"h{spec.life}"
        try:
            host = ProcessHost(spec, self._loop, folder, self._owner)
        except (OSError, TimeoutError) as error:
            raise LoadFailedError(
                f"its kernel could not be started: {error or type(error).__name__}",
                plugin_id=spec.plugin_id,
            ) from error
        try:
            host.link.greet(spec.start_timeout)
        except (TimeoutError, ChannelEndedError) as error:
            report = host.exit_report(1.0)
            host.dispose()
            raise LoadFailedError(
                f"its kernel did not come up: {report.reason or error}",
                plugin_id=spec.plugin_id,
                remote_traceback="\n".join(report.stderr_tail),
            ) from error
        return host

    def close(self) -> None:
        if self._sweeper is not None:
            self._sweeper.close()
            self._sweeper = None
        os.close(self._owner)
