"""Containers of managers that are gone."""

from __future__ import annotations

import os

from nebula_lab.sandbox import pidfds
from nebula_lab.sandbox.container.command import LABEL, OWNER
from nebula_lab.sandbox.container.runtime import Runtime


def own_name() -> str:
    """What containers of this process carry: its number, and when it was started."""
    pid = os.getpid()
    return f"{pid}-{pidfds.started_at(pid)}"


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


def remove_own(runtime: Runtime) -> None:
    """Remove what is left of this process's containers, and wait for the runtime to have done so.

    Raises:
        ContainerRuntimeError: the runtime can't be asked.
    """
    listed = runtime.run(["ps", "-a", "-q", "--filter", f"label={OWNER}={own_name()}"]).split()
    if listed:
        runtime.remove(listed)


def _is_gone(words: list[str]) -> bool:
    """Whether the owner that a line names is no process any more."""
    if len(words) != 2:
        return False
    pid, _, started = words[1].partition("-")
    try:
        return pidfds.started_at(int(pid)) != int(started)
    except ValueError:
        return False
    except OSError:
        return True
