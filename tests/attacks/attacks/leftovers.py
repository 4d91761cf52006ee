"""What outlives its host, for plugins that may start processes."""

from __future__ import annotations

import os
import sys

from .attack import attack

_SLEEP = "import signal, time; signal.pthread_sigmask(0, range(1, 65)); time.sleep(300)"


def _become_sleeper(token):
    """Found by its command line alone: it keeps no variable and no descriptor."""
    os.closerange(0, 256)
    os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", _SLEEP, token], {})


def _reported(work):
    """Run `work` in a child and give the pid that it writes."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            work(writing)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as report:
        pid = int(report.read() or 0)
    os.waitpid(child, 0)
    if not pid:
        raise ChildProcessError("no daemon came up")
    return pid


@attack(leaves="daemon")
def daemon(target):
    """Forks twice, in a session of its own, with its environment cleared."""

    def work(writing):
        os.setsid()
        pid = os.fork()
        if pid:
            os.write(writing, str(pid).encode())
            os._exit(0)
        _become_sleeper(target["token"])

    return _reported(work)


@attack(leaves="daemon")
def daemon_of_a_daemon(target):
    """Four generations, each with a session of its own."""

    def work(writing):
        for _ in range(4):
            os.setsid()
            if pid := os.fork():
                if _ == 3:
                    os.write(writing, str(pid).encode())
                os._exit(0)
        _become_sleeper(target["token"])

    return _reported(work)


@attack(leaves="daemon")
def background_child(target):
    pid = os.fork()
    if pid == 0:
        _become_sleeper(target["token"])
    return pid
