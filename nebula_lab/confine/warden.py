"""Two processes around a host that may start others, so that none of those outlives it.

    warden ── the process that its parent knows; ends as the host ended
      └─ init ── the first of a PID namespace; if it ends, the kernel ends all the others there
           └─ host ── runs the plugin, and whatever it starts stays below it

The host is not the first itself, since that one's signals are not like any other's: `os.kill` of
itself does nothing, and `abort` is no SIGABRT. Where there is no PID namespace, the warden adopts
what is left behind and ends it until there is nothing left.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from typing import NoReturn

from nebula_lab.confine import namespaces, signals, system

_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36
_STATUS_SIZE = 16
_LISTED = 64 * 1024


def guard_with_namespace() -> None:
    """Go on as a host in a PID namespace; the process that called this becomes its warden.

    Raises:
        OSError: there can't be such a namespace.
    """
    namespaces.enter_pid_namespace()
    _ignore_until_passed_on()
    ours, theirs = socket.socketpair()
    if os.fork():
        theirs.close()
        _be_warden(ours)
    ours.close()
    _die_with_parent(theirs)
    host = os.fork()
    if host:
        _be_init(host, theirs)
    theirs.close()


def guard_as_subreaper(owner: int = -1) -> None:
    """The same without a PID namespace.

    Here the warden has to outlive whatever there is: nobody else would be given what is left
    behind. So the host is in a group of its own, and kills only that with itself.

    Args:
        owner: pidfd of the process that all this is to end with.
    """
    system.libc("prctl", _SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # Opened now: once the host has a tree of files of its own, which becomes ours too, we do not
    # find ourselves in it.
    children = os.open(f"/proc/self/task/{os.getpid()}/children", os.O_RDONLY | os.O_CLOEXEC)
    _ignore_until_passed_on()
    ours, theirs = socket.socketpair()
    host = os.fork()
    if host:
        pidfd = os.pidfd_open(host)
        theirs.close()
        _let_go_but(ours.fileno(), pidfd, children, *([owner] if owner >= 0 else []))
        _pass_on_signals(pidfd)
        _be_subreaper(host, pidfd, owner, children)
    os.setpgid(0, 0)
    ours.close()
    os.close(children)
    _die_with_parent(theirs)
    theirs.close()


def _die_with_parent(to_parent: socket.socket) -> None:
    # The parent has one thread, so this is about its end and not only about that thread's.
    system.libc("prctl", _SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    poll = select.poll()
    poll.register(to_parent, 0)
    if poll.poll(0):  # it ended before that
        os._exit(1)


# The warden


def _be_warden(to_init: socket.socket) -> NoReturn:
    data, descriptors, _, _ = socket.recv_fds(to_init, 1, 1)
    if not data or not descriptors:
        os._exit(1)  # what went wrong has been written to descriptor 2
    _let_go_but(to_init.fileno(), descriptors[0])
    _pass_on_signals(descriptors[0])
    ended = to_init.recv(_STATUS_SIZE)
    if not ended:
        os._exit(1)
    os.wait()  # all others there end before it does, and what they have used becomes ours
    code, status = map(int, ended.split())
    _end_as(code, status)


def _be_subreaper(host: int, pidfd: int, owner: int, children: int) -> NoReturn:
    def end(*_: object) -> NoReturn:
        _end_children(children)
        os._exit(1)

    signal.signal(signals.END, end)
    poll = select.poll()
    for one in {pidfd, owner} - {-1}:
        poll.register(one, select.POLLIN)
    if pidfd not in {one for one, _ in poll.poll()}:
        end()  # the owner has ended
    ended = os.waitid(os.P_PID, host, os.WEXITED | os.WNOWAIT)
    _end_children(children)
    assert ended is not None
    _end_as(ended.si_code, ended.si_status)


def _ignore_until_passed_on() -> None:
    # What nobody handles ends the process, unlike an interrupt, for which Python has a handler.
    signal.signal(signals.STACKS, signal.SIG_IGN)


def _pass_on_signals(pidfd: int) -> None:
    def pass_on(number: int, frame: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, number)

    for number in (signals.INTERRUPT, signals.STACKS):
        signal.signal(number, pass_on)


def _end_as(code: int, status: int) -> NoReturn:
    """End as another process did; see `os.waitid`."""
    if code != os.CLD_EXITED:
        if status != signal.SIGKILL:
            signal.signal(status, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {status})
        os.kill(os.getpid(), status)
    os._exit(status)


def _end_children(listed: int) -> None:
    """End all that is below this process, however often it forks meanwhile."""
    while True:
        for pid in os.pread(listed, _LISTED, 0).split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        try:
            os.wait()
        except ChildProcessError:
            return


# The first process of the namespace


def _be_init(host: int, to_warden: socket.socket) -> NoReturn:
    pidfd = os.pidfd_open(host)
    socket.send_fds(to_warden, [b"."], [pidfd])
    _let_go_but(to_warden.fileno())
    while True:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        if ended is not None and ended.si_pid == host:
            break
        if ended is not None:  # it had been left behind
            os.waitpid(ended.si_pid, 0)
    os.waitpid(host, 0)
    to_warden.send(f"{ended.si_code} {ended.si_status}".encode())
    os._exit(0)


def _let_go_but(*kept: int) -> None:
    """Close what belongs to the host: as long as we have it open, nobody sees that it has ended."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    top = os.sysconf("SC_OPEN_MAX")
    after = 3
    for descriptor in sorted(kept):
        os.closerange(after, descriptor)
        after = descriptor + 1
    os.closerange(after, top)
