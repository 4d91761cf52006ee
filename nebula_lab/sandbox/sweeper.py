"""Cleans up after a manager that had no time to do it: killed by SIGKILL, say.

Hosts end themselves when their owner is gone, but one that is stuck in C code can't, and nobody
would remove its files. So a small process watches the owner and does both.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

from nebula_lab.environments.environment import isolated_command, own_environment

_PROGRAM = "nebula_lab.sandbox.sweeping"


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
                isolated_command(own_environment(), _PROGRAM, str(owner), str(run_dir), *marks),
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
