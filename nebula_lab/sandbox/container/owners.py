"""Containers of managers that are gone."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from nebula_lab.errors.containers import ContainerRuntimeError
from nebula_lab.sandbox import pidfds
from nebula_lab.sandbox.container.command import LABEL, OWNER
from nebula_lab.sandbox.container.runtime import PATIENCE, Runtime

_LOOKING = 0.1  # seconds, while a runtime removes what it has begun to remove


def own_name() -> str:
    """What containers of this process carry: where it is, its number, and when it was started."""
    pid = os.getpid()
    return f"{_place()}-{pid}-{pidfds.started_at(pid)}"


def _place() -> str:
    """Where numbers of processes mean what they mean here, for this user.

    A service such as docker's may be shared with other machines, with managers that are in
    containers themselves, and with users whose processes can't be seen. What those have running
    would look abandoned from here.
    """
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    spot = f"{boot} {Path('/proc/self/ns/pid').readlink()} {os.getuid()}"
    return hashlib.sha256(spot.encode()).hexdigest()[:12]


def remove_abandoned(runtime: Runtime) -> int:
    """Remove the containers whose manager is no more; how many there were.

    Raises:
        ContainerRuntimeError: the runtime can't be asked.
    """
    form = '{{.ID}} {{.Label "' + OWNER + '"}}'
    if runtime.is_podman:
        form = '{{.ID}} {{index .Labels "' + OWNER + '"}}'
    listed = runtime.run(["ps", "-a", "--filter", f"label={LABEL}", "--format", form])
    abandoned = [words[0] for words in map(str.split, listed.splitlines()) if _is_gone(words)]
    if abandoned:
        runtime.remove(abandoned)
    return len(abandoned)


def remove_own(runtime: Runtime, run: str) -> None:
    """Remove what is left of a manager's containers, and wait for the runtime to have done so.

    Args:
        runtime: has them.
        run: the name of the manager's run folder, which theirs begin with: a process can have
            other managers.

    Raises:
        ContainerRuntimeError: the runtime can't be asked, or does not get it done.
    """
    mine = ["ps", "-a", "-q", "--filter", f"name=^{run}-"]
    deadline = time.monotonic() + PATIENCE
    while listed := runtime.run(mine).split():
        if time.monotonic() > deadline:
            raise ContainerRuntimeError(
                f"{runtime.name} does not get {', '.join(listed)} removed",
                runtime=runtime.name,
                hint=f"Look at them with `{runtime.name} ps -a`, and at the runtime's own log.",
            )
        runtime.remove(listed)
        time.sleep(_LOOKING)


def _is_gone(words: list[str]) -> bool:
    """Whether the owner that a line names was a process here, and is one no more."""
    if len(words) != 2:
        return False
    place, _, process = words[1].partition("-")
    if place != _place():
        return False
    pid, _, started = process.partition("-")
    try:
        return pidfds.started_at(int(pid)) != int(started)
    except ValueError:
        return False
    except OSError:
        return True
