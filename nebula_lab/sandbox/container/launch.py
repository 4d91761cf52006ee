"""Starts the container of one host, and is its process to the manager."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
from collections.abc import Callable

from nebula_lab.agent.contained import Order, send_order
from nebula_lab.errors.containers import ContainerRuntimeError
from nebula_lab.sandbox import pidfds
from nebula_lab.sandbox.container.command import Plan, command
from nebula_lab.sandbox.container.door import Door, Visitor
from nebula_lab.sandbox.container.group import ContainerGroup
from nebula_lab.sandbox.container.image_files import EXECUTABLE
from nebula_lab.sandbox.container.runtime import Runtime
from nebula_lab.sandbox.kernel_process import KernelOrder, KernelProcess

# Seconds for the first process to say how the host ended, and for a host to have begun.
_TELLING, _BEGINNING = 1.0, 30.0
_STATUS_SIZE = 16


class ContainerKernel(KernelProcess):
    """The host in a container.

    Args:
        pid: of the host.
        pidfd: its own; becomes this object's.
        first: the first process of the container; likewise.
        run: the runtime's program that started it, which ends soon.
    """

    def __init__(self, pid: int, pidfd: int, first: Visitor, run: subprocess.Popen[bytes]) -> None:
        super().__init__(pid, pidfd)
        self._first = first
        self._run = run
        self._releasing = threading.Lock()

    def kill_group(self) -> None:
        """Kill all that is in the container."""
        if self._is_ours():
            pidfds.send_signal(self.pidfd, signal.SIGKILL)
            if self._first.pidfd >= 0 and not self._is_first_ending():
                pidfds.send_signal(self._first.pidfd, signal.SIGKILL)

    def _is_first_ending(self) -> bool:
        # It ends as soon as the host has; killed before, it could not say how that was.
        return pidfds.has_exited(self.pidfd)

    def collect(self) -> int | None:
        self.used.set_result(None)
        told = pidfds.exit_status(self.pidfd)
        return self._told() if told is None else told

    def _told(self) -> int | None:
        poll = select.poll()
        poll.register(self._first.line, select.POLLIN)
        if not poll.poll(_TELLING * 1000):
            return None
        with contextlib.suppress(OSError, ValueError):
            return int(self._first.line.recv(_STATUS_SIZE))
        return None

    def release(self) -> None:
        with self._releasing:
            super().release()
            self._first.close()
            if os.getpid() == self._owner_pid:
                self._run.communicate()


class ContainerLauncher:
    """Starts one container.

    Args:
        runtime: does it.
        plan: what it is to be, once it is known where the host lives.
        group: is told where the container's control group is.
        timeout: seconds for it to come up.
    """

    def __init__(
        self,
        runtime: Runtime,
        plan: Callable[[KernelOrder], Plan],
        group: ContainerGroup,
        timeout: float,
    ) -> None:
        self._runtime = runtime
        self._plan = plan
        self._group = group
        self._timeout = timeout

    def launch(self, order: KernelOrder) -> KernelProcess:
        """Start it; any thread but the loop's.

        Raises:
            ContainerRuntimeError: the runtime does not do it.
            OSError: it could not be started for another reason.
        """
        plan = self._plan(order)
        door = Door(plan.door)
        try:
            return self._start(plan, door, order)
        finally:
            door.close()

    def _start(self, plan: Plan, door: Door, order: KernelOrder) -> KernelProcess:
        entry = (EXECUTABLE, "-I", "-u", "-m", "nebula_lab.agent.contained", str(door.path))
        run = self._runtime.begin(command(plan, self._runtime, entry))
        visitor: Visitor | None = None
        try:
            visitor = self._visitor(plan, door, run)
            self._group.follow(visitor.pid)
            has_kernel = plan.settings.kernel
            message = Order(
                order.arguments if has_kernel else (),
                tuple(order.variables.items()),
                order.confined,
                order.proxy >= 0,
            )
            given = [order.channel, order.owner, order.output, order.stacks]
            send_order(visitor.line, message, [*given, *([order.proxy] * (order.proxy >= 0))])
            return ContainerKernel(*visitor.receive_host(_BEGINNING), visitor, run)
        except BaseException:
            if visitor is not None:
                pidfds.send_signal(visitor.pidfd, signal.SIGKILL)
                visitor.close()
            self._give_up(plan, run)
            raise

    def _visitor(self, plan: Plan, door: Door, run: subprocess.Popen[bytes]) -> Visitor:
        try:
            visitor = door.wait(self._timeout, lambda: bool(run.poll()))
        except TimeoutError:
            raise ContainerRuntimeError(
                f"{self._runtime.name} started no host within {self._timeout:g} s",
                runtime=self._runtime.name,
                hint=f"The image {plan.image} needs a Python at {EXECUTABLE} with nebula_lab's "
                "agent, as `nebula-lab image build` puts it there.",
            ) from None
        if visitor is None:
            _, said = run.communicate()
            raise self._runtime.trouble(said.decode("utf-8", "replace"), "run")
        return visitor

    def _give_up(self, plan: Plan, run: subprocess.Popen[bytes]) -> None:
        if run.poll() is None:
            run.kill()
        run.communicate()
        with contextlib.suppress(ContainerRuntimeError):
            self._runtime.remove([plan.name])
