"""The process from which hosts are forked: everything imported, nothing running.

It has one thread, since a fork takes only the thread that calls it along, with whatever locks the
others held. It knows no plugin. Its children are unreaped until the manager says so, so their pids
are nobody else's while the manager still signals them.
"""

from __future__ import annotations

import array
import contextlib
import gc
import os
import select
import signal
import socket
import sys
from dataclasses import replace
from typing import Any

from nebula_lab.agent import host, kernel_modules
from nebula_lab.agent.hot_code import Recording
from nebula_lab.agent.zygote_child import Birth, Start, become_host
from nebula_lab.agent.zygote_messages import (
    MAX_ORDER_SIZE,
    Fork,
    Forked,
    NotForked,
    Preload,
    Preloaded,
    Ready,
    Reap,
    Reaped,
    Unfit,
    ZygoteMessage,
    decode_order,
    encode,
)
from nebula_lab.agent.zygote_preload import (
    KERNEL_MODULES,
    gather,
    import_module,
    settle,
    threads_left,
)
from nebula_lab.confine.confinement import Guard

# Channel, owner, output, stacks, folder, proxy, and two groups at most.
_DESCRIPTORS = 8
# Which hosts may note what code they run, by how many there were before. Once, a boot takes half as
# long again for it, so only where there are many; one that ends before it has booted tells nothing.
_RECORDED = range(3, 6)
# Seconds for the manager's process to be gone, once it has hung up: on a busy machine that takes a
# while, and one that lives on ends this process itself.
_OWNER_ENDS = 30.0


class Zygote:
    """Forks hosts when told to, and waits for them when told to.

    Args:
        control: connected to the manager.
        owner: pidfd of the manager's process.
    """

    def __init__(self, control: socket.socket, owner: int) -> None:
        self._control = control
        self._owner = owner
        self._is_fit = True
        self._pid = os.getpid()
        self._children: dict[int, int] = {}  # pids, by the manager's numbers
        self._subreapers: set[int] = set()
        self._forks = 0
        self._to_be_recorded = _RECORDED
        self._recording: Recording | None = None
        self._poll = select.poll()
        for descriptor in (control.fileno(), owner):
            self._poll.register(descriptor, select.POLLIN)

    def serve(self) -> Birth | None:
        """Work until the manager hangs up or ends.

        Returns:
            None then. In a process that was forked here: what it is to become.
        """
        self._send(Ready())
        while True:
            ready = {descriptor for descriptor, _ in self._poll.poll()}
            if self._owner in ready:
                self._end_children()
                return None
            if self._recording is not None and self._recording.descriptor in ready:
                self._read_recording(self._recording)
            if self._control.fileno() not in ready:
                continue
            order, descriptors = self._receive()
            if order is None:
                # Of a process that ends, the sockets are closed before its pidfd is ready.
                if select.select([self._owner], [], [], _OWNER_ENDS)[0]:
                    self._end_children()
                return None
            birth = self._obey(order, descriptors)
            if birth is not None:
                return birth

    # Orders

    def _receive(self) -> tuple[Any, list[int]]:
        """An order and its descriptors; no order once the manager has hung up."""
        space = socket.CMSG_SPACE(_DESCRIPTORS * array.array("i").itemsize)
        data, ancillary, _, _ = self._control.recvmsg(
            MAX_ORDER_SIZE, space, socket.MSG_CMSG_CLOEXEC
        )
        if not data:
            return None, []
        descriptors = array.array("i")
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                descriptors.frombytes(content)
        return decode_order(data), list(descriptors)

    def _obey(self, order: Fork | Reap | Preload, descriptors: list[int]) -> Birth | None:
        if isinstance(order, Fork):
            return self._fork_with(order, descriptors)
        if isinstance(order, Reap):
            self._reap(order.number)
        else:
            self._preload(order.module)
        return None

    def _fork_with(self, order: Fork, descriptors: list[int]) -> Birth | None:
        try:
            return self._fork(order, Birth.of(order, descriptors))
        finally:
            if os.getpid() == self._pid:
                for descriptor in descriptors:
                    os.close(descriptor)

    def _preload(self, module: str) -> None:
        failure = ""
        try:
            import_module(module)
        except BaseException as error:  # noqa: BLE001 - `sys.exit()` too; hosts do without it
            failure = f"{type(error).__name__}: {error}"[:1000]
        threads = threads_left()
        settle()
        if threads:
            self._is_fit = False
            self._send(Unfit(f"it started {len(threads)} threads: {', '.join(threads)}"[:1000]))
        else:
            self._send(Preloaded(failure))

    def _fork(self, order: Fork, birth: Birth) -> Birth | None:
        if not self._is_fit or threads_left():
            self._send(NotForked(order.number, "the zygote has more than one thread"))
            return None
        recording = self._new_recording(order)
        try:
            pid = os.fork()
        except OSError as error:
            self._send(NotForked(order.number, f"fork: {error.strerror}"))
            if recording is not None:
                recording.let_go()
                self._forget(recording)
            return None
        if pid == 0:
            self._let_go()
            return birth if recording is None else replace(birth, recorder=recording.recorder())
        if recording is not None:
            recording.let_go()
            self._poll.register(recording.descriptor, select.POLLIN)
        self._forks += 1
        self._adopt(order, pid)
        return None

    def _new_recording(self, order: Fork) -> Recording | None:
        # What guards a host would keep its end of the pipe open.
        is_plain = order.confined.confinement.guard is Guard.NONE and not order.confined.command
        is_wanted = self._forks in self._to_be_recorded and self._recording is None
        if not (is_plain and is_wanted and order.arguments):
            return None
        try:
            self._recording = Recording()
        except OSError:  # it has too many descriptors, and can do without
            return None
        return self._recording

    def _read_recording(self, recording: Recording) -> None:
        places = recording.read()
        if places is None:
            return
        self._poll.unregister(recording.descriptor)
        self._forget(recording)
        if places:
            self._to_be_recorded = range(0)
            gather(places)

    def _forget(self, recording: Recording) -> None:
        recording.close()
        self._recording = None

    def _let_go(self) -> None:
        """Close what is the zygote's own, in a child."""
        self._control.close()
        os.close(self._owner)
        if self._recording is not None:
            self._recording.close()

    def _adopt(self, order: Fork, pid: int) -> None:
        self._children[order.number] = pid
        if order.confined.confinement.guard is Guard.SUBREAPER:
            self._subreapers.add(pid)
        pidfd = os.pidfd_open(pid)  # it is ours and unreaped, so this is it and no other
        try:
            self._send(Forked(order.number), pidfd)
        finally:
            os.close(pidfd)

    # Children

    def _reap(self, number: int) -> None:
        pid = self._children.pop(number)
        _, _, usage = os.wait4(pid, 0)
        self._subreapers.discard(pid)
        self._send(Reaped(number, usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime))

    def _end_children(self) -> None:
        # A subreaper watches the owner too. If it were killed, nobody would have what is below it.
        for pid in set(self._children.values()) - self._subreapers:
            for kill in (os.killpg, os.kill):  # one that was forked just now has no group yet
                with contextlib.suppress(ProcessLookupError):
                    kill(pid, signal.SIGKILL)

    def _send(self, message: ZygoteMessage, *descriptors: int) -> None:
        with contextlib.suppress(BrokenPipeError):  # it shows when the next order is read
            socket.send_fds(self._control, [encode(message)], list(descriptors))


def main(standard_path: list[str], arguments: list[str]) -> None:
    """Serve as a zygote.

    Args:
        standard_path: `sys.path` as far as it is the standard library's.
        arguments: the descriptors of control socket and owner.
    """
    start = Start(standard_path, dict(os.environ))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    for name in KERNEL_MODULES:
        import_module(name)
    kernel_modules.remember()
    threads = threads_left()
    if threads:
        sys.exit(f"importing ipykernel started threads: {', '.join(threads)}")
    settle()
    control, owner = map(int, arguments)
    birth = Zygote(socket.socket(fileno=control), owner).serve()
    if birth is not None:
        if birth.recorder is not None:
            birth.recorder.start()
        become_host(birth, start)
        order = birth.order
        on_booted = None if birth.recorder is None else birth.recorder.finish
        host.run(
            birth.channel, birth.owner, birth.stacks, order.arguments, order.confined, on_booted
        )
