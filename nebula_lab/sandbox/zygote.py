"""The manager's handle on a zygote: `nebula_lab.agent.zygote` is what runs there."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import Any, ClassVar

from nebula_lab.agent.zygote_messages import (
    Fork,
    Forked,
    NotForked,
    Preloaded,
    Ready,
    Reap,
    Unfit,
)
from nebula_lab.sandbox import pidfds
from nebula_lab.sandbox.kernel_process import KernelOrder, KernelProcess
from nebula_lab.sandbox.zygote_process import ZygoteKey, ZygoteProcess
from nebula_lab.sandbox.zygote_socket import ZygoteError, ZygoteSocket, close_all
from nebula_lab.transport.loop import LoopThread

# Seconds until one that says nothing is given up. A fork takes milliseconds; the time that a
# start takes is that of importing ipykernel, which a slow start of a kernel would take as well.
_FORKING = 2.0
_STARTING = 20.0

_Born = tuple[int, int]  # pid and pidfd


class ForkedKernel(KernelProcess):
    """A kernel that a zygote forked."""

    def __init__(self, zygote: Zygote, number: int, born: _Born) -> None:
        super().__init__(*born)
        self._zygote = zygote
        self._number = number

    def collect(self) -> int | None:
        status = pidfds.exit_status(self.pidfd)
        self._zygote.reap(self._number)
        return status


class Zygote:
    """A process that forks kernels.

    Args:
        key: what it is started as.
        loop: reads what it reports.
        owner: pidfd of this process.
        mark: what the sweep finds it by.
        on_failures: told of modules that could not be preloaded, and why.
        on_unfit: told of a module after which it can't fork any more, and why.

    Attributes:
        ended: why it forks no more; empty while it does.

    Raises:
        OSError: it could not be started.
    """

    def __init__(
        self,
        key: ZygoteKey,
        loop: LoopThread,
        owner: int,
        mark: str,
        on_failures: Callable[[dict[str, str]], object],
        on_unfit: Callable[[str, str], object],
    ) -> None:
        self.key = key
        self.ended = ""
        self.was_ready = False
        self._loop = loop
        self._on_failures = on_failures
        self._on_unfit = on_unfit
        self._numbers = itertools.count(1)
        self._forking: dict[int, Future[_Born]] = {}
        self._alive: set[int] = set()
        self._is_retired = False
        self._ending = threading.Lock()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ZygoteSocket(ours)
        try:
            self._process = ZygoteProcess(key, theirs, owner, mark)
        except BaseException:
            self._socket.close()
            raise
        finally:
            theirs.close()
        loop.watch(self._socket.fileno(), self._on_readable)

    @property
    def pid(self) -> int:
        return self._process.pid

    def fork(self, order: KernelOrder) -> KernelProcess:
        """Fork a kernel; any thread.

        Raises:
            ZygoteError: it can't, or does not answer in time; in the latter case it is ended.
        """
        number = next(self._numbers)
        forked: Future[_Born] = Future()
        self._forking[number] = forked
        try:
            self._order(number, order)
            born = self._await(forked)
        except BaseException:
            forked.add_done_callback(_close_unclaimed)
            raise
        finally:
            self._forking.pop(number, None)
        return ForkedKernel(self, number, born)

    def _await(self, forked: Future[_Born]) -> _Born:
        try:
            return forked.result(_FORKING if self.was_ready else _STARTING)
        except TimeoutError as error:
            self.end("it did not answer in time")
            raise ZygoteError(self.ended) from error

    def _order(self, number: int, order: KernelOrder) -> None:
        if self.ended:
            raise ZygoteError(self.ended)
        variables = order.surroundings.marked(order.mark).items()
        message = Fork(
            number=number,
            title=order.title,
            mark=order.mark,
            variables=[name + b"=" + value for name, value in variables],
            umask=order.surroundings.umask,
            arguments=list(order.arguments),
        )
        folder = os.open(".", os.O_PATH | os.O_DIRECTORY)
        try:
            self._socket.send(message, order.channel, order.owner, order.output, folder)
        finally:
            os.close(folder)

    def reap(self, number: int) -> None:
        """Give up a kernel that has exited; on the loop's thread."""
        self._alive.discard(number)
        if not self.ended:
            with contextlib.suppress(ZygoteError):
                self._socket.send(Reap(number))
            self._end_if_done()

    # Reports, on the loop's thread

    def _on_readable(self) -> None:
        try:
            while not self.ended and (received := self._socket.receive()) is not None:
                report, descriptors = received
                try:
                    self._REPORTS[type(report)](self, report, descriptors)
                finally:
                    close_all(descriptors)  # but those that somebody has taken
        except ZygoteError as error:
            self.end(str(error))

    def _on_ready(self, report: Ready, descriptors: list[int]) -> None:
        self.was_ready = True

    def _on_preloaded(self, report: Preloaded, descriptors: list[int]) -> None:
        if report.failures:
            self._on_failures(report.failures)

    def _on_module_unfit(self, report: Unfit, descriptors: list[int]) -> None:
        self._on_unfit(report.module, report.reason)

    def _on_forked(self, report: Forked, descriptors: list[int]) -> None:
        forked = self._forking.pop(report.number, None)
        if forked is None:
            raise ZygoteError("it sent a process that was not asked for")
        try:
            pid = self._child_behind(descriptors)
        except ZygoteError as error:
            forked.set_exception(error)
            raise
        self._alive.add(report.number)
        forked.set_result((pid, descriptors.pop()))

    def _child_behind(self, descriptors: list[int]) -> int:
        """The pid of the child that was sent. It must be one, or we would signal a stranger."""
        if len(descriptors) != 1:
            raise ZygoteError(f"it sent {len(descriptors)} descriptors for one process")
        try:
            pid = pidfds.pid_of(descriptors[0])
            is_child = pidfds.parent_of(pid) == self.pid
            # Again: only while it is there does its number mean it.
            is_child = is_child and pidfds.pid_of(descriptors[0]) == pid
        except (OSError, ValueError) as error:
            raise ZygoteError(f"what it sent is {error}") from error
        if not is_child:
            raise ZygoteError("what it sent is the pidfd of a process that is not its child")
        return pid

    def _on_not_forked(self, report: NotForked, descriptors: list[int]) -> None:
        forked = self._forking.pop(report.number, None)
        if forked is None:
            raise ZygoteError("it refused what was not asked for")
        forked.set_exception(ZygoteError(report.reason))

    _REPORTS: ClassVar[dict[type, Callable[[Zygote, Any, list[int]], None]]] = {
        Ready: _on_ready,
        Preloaded: _on_preloaded,
        Unfit: _on_module_unfit,
        Forked: _on_forked,
        NotForked: _on_not_forked,
    }

    # Its end

    def retire(self) -> None:
        """Fork no more, and end once all its kernels have; on the loop's thread."""
        self._is_retired = True
        self._end_if_done()

    def _end_if_done(self) -> None:
        if self._is_retired and not self._alive and not self._forking:
            self.end("it has been replaced")

    def end(self, reason: str) -> None:
        """End it at once; any thread. Its kernels live on. Can be called again."""
        with self._ending:
            if self.ended:
                return
            self.ended = reason
        self._loop.unwatch(self._socket.fileno())
        said = self._process.end()
        self._socket.close()
        if said:
            self.ended = f"{reason} ({said})"
        for forked in list(self._forking.values()):
            with contextlib.suppress(InvalidStateError):
                forked.set_exception(ZygoteError(self.ended))

    def disown(self) -> None:
        """Let go of it in a fork of this process."""
        self.ended = "it belongs to the process that this one was forked from"
        self._socket.close()
        self._process.disown()


def _close_unclaimed(forked: Future[_Born]) -> None:
    if forked.exception() is None:
        _, pidfd = forked.result()
        os.close(pidfd)
