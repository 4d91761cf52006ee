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
from functools import partial

from jupyter_client.kernelspec import KernelSpec

from nebula_lab.errors import ExitReport, LoadFailedError
from nebula_lab.link.channel import ChannelEndedError
from nebula_lab.model import SandboxMode
from nebula_lab.sandbox.base import Host, HostSpec, Sandbox
from nebula_lab.sandbox.last_words import LastWords
from nebula_lab.sandbox.leftovers import MARK, kill_marked
from nebula_lab.sandbox.provisioner import PluginKernelManager, PluginKernelProvisioner
from nebula_lab.sandbox.run_folder import RunFolder
from nebula_lab.transport.host_link import HostLink, PendingCall
from nebula_lab.transport.loop import LoopThread

# Of the notebook's own kernel; a plugin's must not take them for its own.
_NOT_INHERITED = ("JPY_PARENT_PID", "JPY_SESSION_NAME", "JPY_INTERRUPT_EVENT", "MPLBACKEND")
_PRIVATE = 0o700


class ProcessHost(Host):
    """A kernel process. Use `ProcessSandbox.start` to get one."""

    def __init__(self, spec: HostSpec, loop: LoopThread, run_folder: RunFolder, owner: int) -> None:
        super().__init__()
        self._loop = loop
        self._folder = folder = run_folder.ensure() / f"h{spec.life}"
        self._owner_pid = os.getpid()
        self._ended_by_us = ""
        self._disposing = threading.Lock()
        self._disposed = False
        self._exited = threading.Event()
        self._mark = f"{run_folder.mark}{spec.life}."
        self.scratch_dir = folder / "scratch"
        for path in (folder, self.scratch_dir, folder / "ipython"):
            path.mkdir(_PRIVATE)
        self.connection_file = folder / "kernel.json"
        self._words = LastWords(loop, lambda text: self.on_raw_output(text))
        ours, theirs = socket.socketpair()
        # Whoever reads the channel reads the pipe first; it may only be still at it.
        self.collect_output = self._words.settle  # type: ignore[method-assign]
        self.link = HostLink(ours, loop)
        readable = self._words.readable
        self.link.attend(readable, self._words.collect)
        self._words.on_end = partial(self.link.neglect, readable)
        self._prepare()
        try:
            loop.run(self._launch(theirs.fileno(), owner), spec.start_timeout)
        except BaseException:
            # There, since that thread may be launching the process at this moment.
            loop.call(self._provisioner.abandon)
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

    def _prepare(self) -> None:
        self._manager = PluginKernelManager(
            connection_file=str(self.connection_file), transport="ipc", autorestart=False
        )
        self._provisioner = PluginKernelProvisioner(kernel_id=self._mark, parent=self._manager)
        self._manager.provisioner = self._provisioner

    async def _launch(self, channel: int, owner: int) -> None:
        command = [sys.executable, "-P", "-m", "nebula_lab.agent", str(channel), str(owner)]
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
        self._manager._kernel_spec = self._provisioner.kernel_spec = kernel_spec
        await self._manager.start_kernel(
            env=self._environment(), pass_fds=(channel, owner), output=self._words.writable
        )

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

    def interrupt(self, call: PendingCall) -> None:
        self._provisioner.signal(signal.SIGINT)

    def kill(self) -> None:
        if not self._provisioner.has_exited():  # else it ended for a reason of its own
            self._ended_by_us = self._ended_by_us or "killed by the manager"
        self._provisioner.kill_group()

    def exit_report(self, timeout: float) -> ExitReport:
        if os.getpid() != self._owner_pid:
            return ExitReport("it belongs to the process that this one was forked from")
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
        if os.getpid() != self._owner_pid:
            return  # the kernel and its files are not the fork's
        with self._disposing:
            if self._disposed:
                return
            self.kill()
            self._exited.wait(10.0)
            self.link.close()
            self._words.close()
            self._provisioner.release()
            self._manager.cleanup_connection_file()
            shutil.rmtree(self._folder, ignore_errors=True)
            self._disposed = True  # at last: an interrupted one is to be finished later

    def last_words(self) -> tuple[str, ...]:
        return self._words.lines()


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


class ProcessSandbox(Sandbox):
    """Sandbox Process.

    Args:
        loop: launches kernels and watches them.
        run_folder: connection files, sockets and scratch folders go there.
    """

    mode = SandboxMode.PROCESS

    def __init__(self, loop: LoopThread, run_folder: RunFolder) -> None:
        self._loop = loop
        self._run_folder = run_folder
        self._owner = os.pidfd_open(os.getpid())

    def start(self, spec: HostSpec) -> Host:
        try:
            host = ProcessHost(spec, self._loop, self._run_folder, self._owner)
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
        except BaseException:
            host.dispose()
            raise
        return host

    def close(self) -> None:
        owner, self._owner = self._owner, -1
        if owner >= 0:
            os.close(owner)
