"""How jupyter_client launches and ends a plugin's kernel."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import subprocess
from typing import Any

from jupyter_client import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerBase


class PluginKernelProvisioner(KernelProvisionerBase):
    """Starts a kernel in a session of its own and signals it by pidfd, never by a stored pid."""

    process: subprocess.Popen[bytes] | None = None
    pidfd: int | None = None
    # A fork of the manager's process has these objects too, and must leave the kernel alone.
    owner_pid = 0

    @property
    def has_process(self) -> bool:
        return self.process is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        manager = self.parent
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        command = manager.format_kernel_cmd(extra_arguments=kwargs.pop("extra_arguments", []))
        prepared: dict[str, Any] = await super().pre_launch(cmd=command, **kwargs)
        return prepared

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        self.owner_pid = os.getpid()
        self.process = subprocess.Popen(
            cmd,
            stdin=subprocess.DEVNULL,
            stdout=kwargs["output"],
            stderr=kwargs["output"],
            pass_fds=kwargs["pass_fds"],
            cwd=kwargs.get("cwd"),
            env=kwargs["env"],
            start_new_session=True,
        )
        self.pidfd = os.pidfd_open(self.process.pid)
        return self.connection_info

    async def poll(self) -> int | None:
        return 0 if self.process is None else self.process.poll()

    async def wait(self) -> int | None:
        if self.process is None or self.pidfd is None:
            return 0
        exited = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self.pidfd, exited.set)
        try:
            await exited.wait()
        finally:
            loop.remove_reader(self.pidfd)
        return self.process.wait()

    async def send_signal(self, signum: int) -> None:
        self.signal(signum)

    def signal(self, signum: int) -> None:
        """Signal the kernel itself; nothing happens once it has exited."""
        if self.pidfd is not None and os.getpid() == self.owner_pid:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, signum)

    def has_exited(self) -> bool:
        """Whether the kernel is over by now, be it that nobody has waited for it yet."""
        if self.process is None or self.process.returncode is not None or self.pidfd is None:
            return True
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(0))

    def kill_group(self) -> None:
        """Kill the kernel and what is still in its process group."""
        if self.process is None or os.getpid() != self.owner_pid:
            return
        # Until it has been waited for, its pid, and so its group's, can't be another's.
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.signal(signal.SIGKILL)

    async def kill(self, restart: bool = False) -> None:
        self.kill_group()

    async def terminate(self, restart: bool = False) -> None:
        self.signal(signal.SIGTERM)

    async def cleanup(self, restart: bool = False) -> None:
        self.release()

    def release(self) -> None:
        """Give back the pidfd of a process that has been waited for."""
        pidfd, self.pidfd = self.pidfd, None
        if pidfd is not None:
            os.close(pidfd)

    def abandon(self) -> None:
        """End what was launched and is of no use; on the thread that launches."""
        if self.process is not None:
            self.kill_group()
            if self.pidfd is None:  # there were no descriptors left for one
                self.process.kill()
            self.process.wait()
            self.release()


class PluginKernelManager(AsyncKernelManager):
    """jupyter_client's manager for one plugin's kernel.

    It keeps no control socket: a host is asked to end over our own channel, and made to by a
    signal, so the manager's process needs no zmq sockets for its plugins.
    """

    def _connect_control_socket(self) -> None: ...
