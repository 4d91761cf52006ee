"""Ends this process with its owner, whatever it is doing at the time."""

from __future__ import annotations

import os
import select
import signal
import threading


def die_with(pidfd: int) -> None:
    """Kill this process's group as soon as the process behind `pidfd` has exited.

    The parent-death signal will not do: it fires when the *thread* that forked us ends.
    """
    thread = threading.Thread(target=_watch, args=(pidfd,), name="owner", daemon=True)
    thread.pydev_do_not_trace = True  # type: ignore[attr-defined]  # a breakpoint stops the others
    thread.start()


def _watch(pidfd: int) -> None:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    while not poll.poll():
        pass
    os.killpg(0, signal.SIGKILL)
