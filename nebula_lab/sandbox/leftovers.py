"""Finds processes that a plugin left behind, also those that took a session of their own."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

# Imported by the sweeper too: the standard library only.
from nebula_lab.agent.marking import MARK


def kill_marked(prefix: str) -> None:
    """Kill every process that inherited the environment of a host whose mark starts like this.

    A process that clears its environment escapes this; one that also leaves the process group
    needs a PID namespace or a control group to be caught.
    """
    wanted = f"{MARK}={prefix}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                pidfd = os.pidfd_open(int(entry.name))
                try:
                    # Opened before it is looked at, so that the signal can't hit another.
                    environment = (entry / "environ").read_bytes().split(b"\0")
                    if any(variable.startswith(wanted) for variable in environment):
                        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                finally:
                    os.close(pidfd)
