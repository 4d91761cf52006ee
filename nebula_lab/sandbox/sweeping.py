"""What the sweeper's process does.

Each manager has one such process, so it imports next to nothing, to be small and quick to start.
"""

from __future__ import annotations

import os
import select
import signal
import time

from nebula_lab.sandbox import removal
from nebula_lab.sandbox.leftovers import kill_marked

# Seconds for what was killed to be gone, and between two looks.
_PATIENCE = 10.0
_LOOKING = 0.01


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

    remove_all(f"{os.path.basename(run_dir)}-")  # noqa: PTH119
    removal.remove(run_dir)


def main(standard_path: list[str], arguments: list[str]) -> None:
    """Watch until there is something to do: descriptor of the owner's pidfd, folder, marks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    owner, run_dir, *marks = arguments
    _sweep(int(owner), run_dir, marks)
