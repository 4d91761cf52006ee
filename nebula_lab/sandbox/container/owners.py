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

# Where this machine says which one it is, for good; see machine-id(5).
_MACHINE = Path("/etc/machine-id")
# The number of the first namespace of processes, the same at each boot (PROC_PID_INIT_INO).
_FIRST = "pid:[4026531836]"
_LOOKING = 0.1  # seconds, while a runtime removes what it has begun to remove


def own_name() -> str:
    """What containers of this process carry.

    Where it is at this boot, its number, when it was started, and where it is at each boot, if
    that can be told.
    """
    pid = os.getpid()
    return f"{_place()}-{pid}-{pidfds.started_at(pid)}-{_lasting_place()}"


def _place() -> str:
    """Where numbers of processes mean what they mean here, for this user.

    A service such as docker's may be shared with other machines, with managers that are in
    containers themselves, and with users whose processes can't be seen. What those have running
    would look abandoned from here.
    """
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return _digest(f"{boot} {Path('/proc/self/ns/pid').readlink()} {os.getuid()}")


def _lasting_place() -> str:
    """The same, whichever boot it is; empty where that can't be told.

    Of namespaces only the first has a number of its own at each boot, and containers may have the
    machine's ID of their common image. Machines that are copies of one have the same ID too, but
    hardly the same name.
    """
    if str(Path("/proc/self/ns/pid").readlink()) != _FIRST:
        return ""
    try:
        machine = _MACHINE.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
    if not machine or machine == "uninitialized":
        return ""
    return _digest(f"{machine} {os.uname().nodename} {os.getuid()}")


def _digest(spot: str) -> str:
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
    lines = map(str.split, listed.splitlines())
    abandoned = [words[0] for words in lines if len(words) == 2 and is_gone(words[1])]
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


def is_gone(name: str) -> bool:
    """Whether an owner was a process here, and is one no more.

    Args:
        name: see `own_name`; more words may follow.
    """
    place, pid, started, lasting, *_ = (*name.split("-"), "", "", "")
    if place != _place():
        # Then its number may be another's now, but its boot is over, and so is it.
        return bool(lasting) and lasting == _lasting_place()
    try:
        return pidfds.started_at(int(pid)) != int(started)
    except ValueError:
        return False
    except OSError:
        return True
