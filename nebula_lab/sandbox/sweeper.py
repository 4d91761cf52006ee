"""Cleans up after a manager that had no time to do it: killed by SIGKILL, say.

Hosts end themselves when their owner is gone, but one that is stuck in C code can't, and nobody
would remove its files. So a small process watches the owner and does both. It imports next to
nothing, to be small and quick to start.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from pathlib import Path

from nebula_lab.environments.environment import isolated_command, own_environment
from nebula_lab.sandbox import removal
from nebula_lab.sandbox.leftovers import kill_marked

# Seconds for what was killed to be gone, and between two looks.
_PATIENCE = 10.0
_LOOKING = 0.01


class Sweeper:
    """The manager's handle on that process.

    Args:
        run_dir: removed with everything in it once the owner is gone.
        marks: what the marks of the owner's hosts and zygotes start with.
    """

    def __init__(self, run_dir: Path, *marks: str) -> None:
        owner = os.pidfd_open(os.getpid())
        try:
            self._process = subprocess.Popen(
                isolated_command(own_environment(), __name__, str(owner), str(run_dir), *marks),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(owner,),
                start_new_session=True,
            )
        finally:
            os.close(owner)

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        """There is nothing left to sweep. Can be called again."""
        assert self._process.stdin is not None
        if not self._process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(b"bye")
                self._process.stdin.close()
        self._process.wait()


def _sweep(owner: int, run_dir: str, marks: list[str]) -> None:
    poll = select.poll()
    poll.register(owner, select.POLLIN)
    poll.register(0, select.POLLIN)
    while not any(descriptor == owner for descriptor, _ in poll.poll()):
        if os.read(0, 4096):
            return
        poll.unregister(0)  # the owner is ending, and will not say goodbye
    # Again, since one that is being killed may finish making a file or a process.
    deadline = time.monotonic() + _PATIENCE
    while kill_marked(*marks) and time.monotonic() < deadline:
        time.sleep(_LOOKING)
    from nebula_lab.confine.cgroups import remove_all  # not before there is something to do

    remove_all(f"{Path(run_dir).name}-")
    removal.remove(run_dir)


def main(standard_path: list[str], arguments: list[str]) -> None:
    """Watch until there is something to do: descriptor of the owner's pidfd, folder, marks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    owner, run_dir, *marks = arguments
    _sweep(int(owner), run_dir, marks)
