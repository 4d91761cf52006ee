"""What a kernel inherits from the process that it is started for, as it is at one moment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from nebula_lab.agent.marking import MARK
from nebula_lab.agent.process_limits import ProcessLimits
from nebula_lab.environments.environment import own_environment

# Of the notebook's own kernel; a plugin's must not take them for its own.
_NOT_INHERITED = (b"JPY_PARENT_PID", b"JPY_SESSION_NAME", b"JPY_INTERRUPT_EVENT", b"MPLBACKEND")


@dataclass(frozen=True)
class Surroundings:
    """Variables, working folder, umask, limits and packages of this process.

    Attributes:
        variables: by name, in their order.
        folder: device and inode of the working folder.
        umask: of new files.
        limits: resources, processors and priority.
        installed_at: when what is installed last changed; a host has imported some of it.
    """

    variables: tuple[tuple[bytes, bytes], ...]
    folder: tuple[int, int]
    umask: int
    limits: ProcessLimits
    installed_at: tuple[int, ...]

    @classmethod
    def now(cls) -> Surroundings:
        kept = ((name, os.environb[name]) for name in os.environb if name not in _NOT_INHERITED)
        here = os.stat(".")  # noqa: PTH116 - it may have been removed, and is itself all the same
        folder = (here.st_dev, here.st_ino)
        installed_at = own_environment().installed_at()
        return cls(tuple(kept), folder, _umask(), ProcessLimits.now(), installed_at)

    def named(self, name: str) -> str:
        """One variable; empty without it."""
        return dict(self.variables).get(name.encode(), b"").decode("utf-8", "surrogateescape")

    def marked(self, mark: str) -> dict[bytes, bytes]:
        """The variables of a host with this mark."""
        # Frames of ours are no frames of the plugin's, and debugpy's warning is about them.
        ours = {MARK.encode(): mark.encode(), b"PYDEVD_DISABLE_FILE_VALIDATION": b"1"}
        return dict(self.variables) | ours


def _umask() -> int:
    # `os.umask` can only be asked by changing it, for all threads.
    for line in Path("/proc/self/status").read_bytes().splitlines():
        if line.startswith(b"Umask:"):
            return int(line.split()[1], 8)
    raise OSError("/proc/self/status has no Umask; Linux 4.7 and later have it")
