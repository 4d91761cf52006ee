"""Finds what tests run containers with, and gets Debian's where it may.

podman is what nearly all use. docker's service is started by the tests that need it, and ends with
them; so it is wanted where podman is, and its absence fails the same tests in the same way.
"""

from __future__ import annotations

import os
import subprocess
from functools import lru_cache
from pathlib import Path

import pytest
from own_processes import processes
from system_packages import DOCKER, PODMAN, UIDMAP, found, install


@lru_cache(maxsize=1)
def _trouble() -> str:
    """Why no container can be run here; empty where one can. The image is built for it."""
    install(PODMAN, UIDMAP)
    if not found(PODMAN):
        return "no podman is here, and it could not be installed: apt-get install podman runc"
    from nebula_lab.errors import ContainerRuntimeError
    from nebula_lab.sandbox.container.image import OwnImage
    from nebula_lab.sandbox.container.runtime import Runtime

    try:
        OwnImage(Runtime("podman")).build(print)
    except ContainerRuntimeError as error:
        return str(error)
    return ""


@lru_cache(maxsize=1)
def _trouble_with_docker() -> str:
    """Why no service of docker's can be started here; empty where one can."""
    install(DOCKER)
    if os.geteuid():
        return "only root can start a docker of its own"
    if not found(DOCKER):
        return "no dockerd is here, and it could not be installed: apt-get install docker.io"
    return ""


def need_containers() -> None:
    """Skip a test where there are no containers, and fail it under CI."""
    _need(_trouble())


def need_docker() -> None:
    """Likewise, where no docker can be started."""
    _need(_trouble_with_docker())


def _need(reason: str) -> None:
    if reason and os.environ.get("CI"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


def containers() -> list[str]:
    """Names of this run's, and of those whose manager is no more; other runs have theirs."""
    owners = _owners()  # before the processes: a manager's containers end before it does
    ours = {os.getpid(), *(pid for pid, _ in processes())}
    gone = {pid for pid in owners.values() if not Path("/proc", str(pid)).exists()}
    return [name for name, owner in owners.items() if owner in ours | gone]


def containers_of(pid: int) -> set[str]:
    """Names of those whose manager is in a process."""
    return {name for name, owner in _owners().items() if owner == pid}


def watchers_of_none() -> set[str]:
    """Processes that watch over a container which is no more; there are some for a moment.

    Only those of this user: another one has containers that this user's podman does not show.
    """
    user = str(os.getuid())
    command = ["ps", "-U", user, "-o", "pid=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line for line in listed.stdout.splitlines() if "conmon" in line and "nebula-" in line]
    if not lines:
        return set()
    known = _owners()
    return {line for line in lines if not any(name in line for name in known)}


def _owners() -> dict[str, int]:
    """Of each container, by its name, the process that its manager is or was in."""
    form = '{{.Names}} {{index .Labels "nebula-lab.owner"}}'
    listed = ["podman", "ps", "-a", "--filter", "label=nebula-lab.host", "--format", form]
    lines = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.splitlines()
    return {name: int(owner.split("-")[1]) for name, owner in map(str.split, lines)}


def main() -> None:
    """Have it there before the tests, with the image of containers, of which one is kept."""
    if reason := _trouble_with_docker():
        print(f"Tests of docker will not run: {reason}")
    if reason := _trouble():
        print(f"Tests of containers will not run: {reason}")
        return
    from nebula_lab.sandbox.container.image import OwnImage
    from nebula_lab.sandbox.container.runtime import Runtime

    OwnImage(Runtime("podman")).remove_others()


if __name__ == "__main__":
    main()
