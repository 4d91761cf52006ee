"""A kernel's process, however it was started, and the start that works everywhere."""

from __future__ import annotations

import abc
import contextlib
import os
import subprocess
import sys
from concurrent.futures import Future
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from nebula_lab.confine.confinement import Confined
from nebula_lab.environments.environment import isolated_command, own_environment
from nebula_lab.sandbox import pidfds
from nebula_lab.sandbox.surroundings import Surroundings


@dataclass(frozen=True)
class KernelOrder:
    """What a kernel is started with.

    Attributes:
        title: shown in lists of processes.
        mark: what left-behind processes are found by.
        arguments: the connection file and IPython's folder.
        surroundings: what it inherits.
        variables: its environment.
        confined: what it takes from itself.
        channel: descriptor of the host's end of the call channel.
        owner: pidfd of the manager's process.
        output: descriptor for what it writes to its own 1 and 2.
        stacks: descriptor for the stacks of its threads.
        proxy: descriptor of a socket for a listener, where it is to have a proxy; else -1.
        entrances: of its control group, which it enters first of all; see `confine.cgroups`.
    """

    title: str
    mark: str
    arguments: tuple[str, ...]
    surroundings: Surroundings
    variables: dict[bytes, bytes]
    confined: Confined
    channel: int
    owner: int
    output: int
    stacks: int
    proxy: int = -1
    entrances: tuple[int, ...] = ()


class Used(NamedTuple):
    """What a process had used: bytes in memory at a time, at most, and seconds of computing."""

    peak_memory: int
    processor_time: float


class KernelProcess(abc.ABC):
    """A kernel's process. It is signalled by pidfd, never by a number.

    Args:
        pid: its number, for people.
        pidfd: becomes this object's own.

    Attributes:
        used: what it had used, some time after it was collected; None where nobody knows.
    """

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid = pid
        self.pidfd = pidfd
        self.used: Future[Used | None] = Future()
        # A fork of the manager's process has these objects too, and must leave kernels alone.
        self._owner_pid = os.getpid()

    def signal(self, signum: int) -> None:
        """Signal the kernel itself; nothing happens once it is gone."""
        if self._is_ours():
            pidfds.send_signal(self.pidfd, signum)

    def kill_group(self) -> None:
        """Kill the kernel and what is still in its process group."""
        if self._is_ours():
            pidfds.kill_group(self.pidfd)

    def has_exited(self) -> bool:
        return self.pidfd < 0 or pidfds.has_exited(self.pidfd)

    def _is_ours(self) -> bool:
        return self.pidfd >= 0 and os.getpid() == self._owner_pid

    @abc.abstractmethod
    def collect(self) -> int | None:
        """How the process ended that has exited, as `subprocess` writes it; None if nobody knows.

        From now on its pid may become another's.
        """

    def release(self) -> None:
        """Give back the pidfd. Can be called again."""
        pidfd, self.pidfd = self.pidfd, -1
        if pidfd >= 0:
            os.close(pidfd)


class Launches(Protocol):
    """Starts kernels, in whichever way."""

    def launch(self, order: KernelOrder) -> KernelProcess:
        """Start one; any thread but the loop's.

        Raises:
            OSError: it could not be started.
        """


class SpawnedKernel(KernelProcess):
    """A kernel in a Python of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(process.pid, os.pidfd_open(process.pid))
        self._process = process

    def collect(self) -> int | None:
        _, status, usage = os.wait4(self.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self.used.set_result(Used(usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime))
        return self._process.returncode


def _command(order: KernelOrder, arguments: list[str]) -> list[str]:
    if order.confined.command:
        return isolated_command(own_environment(), "nebula_lab.agent.crossing", *arguments)
    return [sys.executable, "-P", "-m", "nebula_lab.agent", *arguments]


def spawn(order: KernelOrder) -> SpawnedKernel:
    """Start a kernel in a new Python: as slow as Python and ipykernel are.

    Raises:
        OSError: it could not be started.
    """
    descriptors = (order.channel, order.owner, order.stacks, order.proxy)
    entrances = ",".join(map(str, order.entrances))
    arguments = [*map(str, descriptors), entrances, order.confined.to_text(), *order.arguments]
    process = subprocess.Popen(
        _command(order, arguments),
        stdin=subprocess.DEVNULL,
        stdout=order.output,
        stderr=order.output,
        pass_fds=[*(one for one in descriptors if one >= 0), *order.entrances],
        env=order.variables,
        start_new_session=True,
    )
    try:
        # It has those of the thread that started it, which may differ from the main thread's.
        with contextlib.suppress(OSError):  # it is gone, or its program has privileges
            order.surroundings.limits.apply(process.pid)
        return SpawnedKernel(process)
    except BaseException:  # there were no descriptors left for a pidfd
        process.kill()
        process.wait()
        raise
