"""The manager's handle on a zygote: `nebula_lab.agent.zygote` is what runs there."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from functools import partial
from typing import Any, ClassVar

from nebula_lab.agent.zygote_messages import (
    Fork,
    Forked,
    NotForked,
    Preload,
    Preloaded,
    Ready,
    Reap,
    Reaped,
    Unfit,
)
from nebula_lab.sandbox import pidfds
from nebula_lab.sandbox.kernel_process import KernelOrder, KernelProcess, Used
from nebula_lab.sandbox.zygote_process import ZygoteKey, ZygoteProcess
from nebula_lab.sandbox.zygote_reaping import Reaping
from nebula_lab.sandbox.zygote_socket import ZygoteError, ZygoteSocket, child_behind, close_all
from nebula_lab.sandbox.zygote_turns import ZygoteTurns
from nebula_lab.transport.loop import LoopThread

# Seconds until one that says nothing is given up. A fork takes milliseconds; the time that a
# start takes is that of importing ipykernel, which a slow start of a kernel would take as well.
_FORKING = 2.0
_STARTING = 20.0
# Then it is others' turn on the loop.
_REPORTS_A_TURN = 16

_Born = tuple[int, int]  # pid and pidfd


class ForkedKernel(KernelProcess):
    """A kernel that a zygote forked."""

    def __init__(self, zygote: Zygote, number: int, born: _Born) -> None:
        super().__init__(*born)
        self._zygote = zygote
        self._number = number

    def collect(self) -> int | None:
        status = pidfds.exit_status(self.pidfd)
        self._zygote.reap(self._number, self.used)
        return status


class Zygote:
    """A process that forks kernels.

    Args:
        key: what it is started as.
        loop: reads what it reports.
        owner: pidfd of this process.
        mark: see below.
        on_failure: told of a module that could not be preloaded, and why.
        on_unfit: told of a module after which it can't fork any more, why, and whether that may
            have been chance; any thread.

    Attributes:
        ended: why it forks no more; empty while it does.
        mark: what the sweep finds it by, and what it forked without having been asked.

    Raises:
        OSError: it could not be started.
    """

    def __init__(
        self,
        key: ZygoteKey,
        loop: LoopThread,
        owner: int,
        mark: str,
        on_failure: Callable[[str, str], object],
        on_unfit: Callable[[str, str, bool], object],
    ) -> None:
        self.key = key
        self.mark = mark
        self.ended = ""
        self.was_ready = False
        self._loop = loop
        self._on_failure = on_failure
        self._on_unfit = on_unfit
        self._numbers = itertools.count(1)
        self._forking: dict[int, Future[_Born]] = {}
        self._alive: set[int] = set()
        self._reaping = Reaping()
        self._turns = ZygoteTurns(key.preload)
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

    @property
    def was_killed(self) -> bool:
        """Whether a signal ended it that was not ours."""
        return self._process.was_killed

    @property
    def has_preloaded(self) -> bool:
        """Whether it has survived all modules."""
        return self.was_ready and self._turns.has_preloaded

    def fork(self, order: KernelOrder) -> KernelProcess:
        """Fork a kernel; any thread.

        Raises:
            ZygoteError: it can't, is importing a module that takes its time, or does not answer;
                in the last case it is ended.
        """
        if self._turns.is_stuck:
            self._end_and_blame("it took too long to import")
        number = next(self._numbers)
        forked: Future[_Born] = Future()
        try:
            with self._turns.launch(number):
                self._order(number, order, forked)
            return ForkedKernel(self, number, self._await(forked))
        except BaseException:
            forked.add_done_callback(partial(self._abandon, number))
            raise

    def _await(self, forked: Future[_Born]) -> _Born:
        try:
            return forked.result(_FORKING if self.was_ready else _STARTING)
        except TimeoutError as error:
            self.end("it did not answer in time")
            raise ZygoteError(self.ended) from error

    def _order(self, number: int, order: KernelOrder, forked: Future[_Born]) -> None:
        if self.ended:
            raise ZygoteError(self.ended)
        message = Fork(
            number=number,
            title=order.title,
            mark=order.mark,
            variables=[name + b"=" + value for name, value in order.variables.items()],
            umask=order.surroundings.umask,
            limits=order.surroundings.limits,
            arguments=list(order.arguments),
            confined=order.confined,
            has_proxy=order.proxy >= 0,
        )
        folder = os.open(".", os.O_PATH | os.O_DIRECTORY)
        self._forking[number] = forked  # and there it stays until there is an answer
        try:
            proxy = () if order.proxy < 0 else (order.proxy,)
            given = (order.channel, order.owner, order.output, order.stacks, folder, *proxy)
            self._socket.send(message, *given, *order.entrances)
        except ZygoteError:
            self._forking.pop(number, None)
            raise
        finally:
            os.close(folder)

    def _abandon(self, number: int, forked: Future[_Born]) -> None:
        """End a kernel that nobody waits for any more: whoever did was interrupted."""
        if forked.exception() is None:
            kernel = ForkedKernel(self, number, forked.result())
            kernel.kill_group()
            self._loop.watch(kernel.pidfd, partial(self._bury, kernel))

    def _bury(self, kernel: ForkedKernel) -> None:
        self._loop.unwatch(kernel.pidfd)
        kernel.collect()
        kernel.release()

    def reap(self, number: int, used: Future[Used | None]) -> None:
        """Give up a kernel that has exited; any thread.

        Args:
            number: of the kernel.
            used: told what it had used, or that this can't be known.
        """
        self._reaping.begin(number, used)
        self._loop.call(self._reap, number)
        if self.ended:
            self._reaping.give_up()

    def _reap(self, number: int) -> None:
        self._alive.discard(number)
        if not self.ended:
            with contextlib.suppress(ZygoteError):
                self._socket.send(Reap(number))
            self._end_if_done()

    # Reports, on the loop's thread

    def _on_readable(self) -> None:
        try:
            for _ in range(_REPORTS_A_TURN):
                if self.ended or (received := self._socket.receive()) is None:
                    break
                self._take(*received)
            self._preload_next()
        except ZygoteError as error:
            self._end_and_blame(str(error))

    def _take(self, report: Any, descriptors: list[int]) -> None:
        try:
            self._REPORTS[type(report)](self, report, descriptors)
        finally:
            close_all(descriptors)  # but those that somebody has taken

    def _preload_next(self) -> None:
        """Order the next module if there is nothing else to do."""
        is_free = self.was_ready and not self.ended and not self._is_retired
        if not is_free or not (module := self._turns.begin_import()):
            return
        try:
            self._socket.send(Preload(module))
        except ZygoteError:
            self._turns.end_import()  # it never was at this one, whatever ended it
            raise

    def _end_and_blame(self, reason: str) -> None:
        """End it, and blame the module that it was importing, if any: the next one goes without."""
        module = self._turns.module
        if module:
            self._process.let_die()
        self.end(reason)
        if module:
            self._on_unfit(module, self.ended, self._process.was_killed_by_others)

    def _on_ready(self, report: Ready, descriptors: list[int]) -> None:
        if self.was_ready:
            raise ZygoteError("it was ready twice")
        self.was_ready = True

    def _on_preloaded(self, report: Preloaded, descriptors: list[int]) -> None:
        module = self._imported()
        if report.failure:
            self._on_failure(module, report.failure)

    def _on_module_unfit(self, report: Unfit, descriptors: list[int]) -> None:
        self._turns.import_no_more()
        self._on_unfit(self._imported(), report.reason, False)

    def _imported(self) -> str:
        module = self._turns.end_import()
        if not module:
            raise ZygoteError("it has imported what was not asked for")
        return module

    def _answered(self, number: int) -> Future[_Born]:
        forked = self._forking.pop(number, None)
        if forked is None:
            raise ZygoteError("it answered what was not asked for")
        self._turns.answered(number)
        return forked

    def _on_forked(self, report: Forked, descriptors: list[int]) -> None:
        forked = self._answered(report.number)
        try:
            pid = child_behind(descriptors, self.pid)
        except ZygoteError as error:
            forked.set_exception(error)
            raise
        self._alive.add(report.number)
        with contextlib.suppress(InvalidStateError):  # it is being ended, which whoever waits knows
            forked.set_result((pid, descriptors[-1]))
            descriptors.pop()

    def _on_not_forked(self, report: NotForked, descriptors: list[int]) -> None:
        self._answered(report.number).set_exception(ZygoteError(report.reason))

    def _on_reaped(self, report: Reaped, descriptors: list[int]) -> None:
        self._reaping.take(report)

    _REPORTS: ClassVar[dict[type, Callable[[Zygote, Any, list[int]], None]]] = {
        Ready: _on_ready,
        Preloaded: _on_preloaded,
        Unfit: _on_module_unfit,
        Forked: _on_forked,
        NotForked: _on_not_forked,
        Reaped: _on_reaped,
    }

    # Its end

    def retire(self) -> None:
        """Fork no more, and end once all its kernels have; any thread."""
        self._is_retired = True
        self._loop.call(self._end_if_done)

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
        self._reaping.give_up()
        if said:
            self.ended = f"{reason} ({said})"
        self._turns.end_import()
        for forked in list(self._forking.values()):
            with contextlib.suppress(InvalidStateError):
                forked.set_exception(ZygoteError(self.ended))

    def disown(self) -> None:
        """Let go of it in a fork of this process."""
        self.ended = "it belongs to the process that this one was forked from"
        self._socket.close()
        self._process.disown()
