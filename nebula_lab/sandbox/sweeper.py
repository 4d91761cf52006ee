"""Cleans up after a manager that had no time to do it: killed by SIGKILL, say.

Hosts end themselves when their owner is gone, but one that is stuck in C code can't, one may have
prepared not to, and nobody would remove its files. So a small process watches the owner and does
all that. It is given a pidfd of each host, which holds one that has taken every mark from itself.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
from pathlib import Path

from nebula_lab.environments.environment import isolated_command, own_environment
from nebula_lab.sandbox import sweeping

_log = logging.getLogger("nebula_lab")


class Sweeper:
    """The manager's handle on that process.

    Args:
        run_dir: removed with everything in it once the owner is gone.
        marks: what the marks of the owner's hosts and zygotes start with.
    """

    def __init__(self, run_dir: Path, *marks: str) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        owner = -1
        try:
            owner = os.pidfd_open(os.getpid())
            self._process = subprocess.Popen(
                isolated_command(
                    own_environment(), sweeping.__name__, str(owner), str(run_dir), *marks
                ),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(owner,),
                start_new_session=True,
            )
        except BaseException:
            self._socket.close()
            raise
        finally:
            theirs.close()
            if owner >= 0:
                os.close(owner)
        self._socket.setblocking(False)  # a load waits for nobody

    @property
    def pid(self) -> int:
        return self._process.pid

    def entrust(self, pidfd: int) -> None:
        """Have a host ended, and all that is below it, once the owner is gone."""
        try:
            socket.send_fds(self._socket, [sweeping.HOST], [pidfd])
        except OSError as error:
            _log.warning(
                "a plugin's process may outlive this one, if this one is killed: the process "
                "that is to end it then can't be reached: %s",
                error,
            )

    def close(self) -> None:
        """There is nothing left to sweep. Can be called again."""
        with contextlib.suppress(OSError):  # it has ended, or this has been called before
            self._socket.setblocking(True)
            self._socket.send(sweeping.BYE)
        self._socket.close()
        self._process.wait()
