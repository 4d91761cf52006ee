"""What a runtime can do for whoever runs the manager: which limits, and as whom its root is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from nebula_lab.errors.containers import ContainerRuntimeError
from nebula_lab.sandbox.container.runtime import Runtime

_V2 = Path("/sys/fs/cgroup/cgroup.controllers")
_OF_PODMAN = "{{json .Host.CgroupControllers}}"
_OF_DOCKER = "[{{.MemoryLimit}},{{.PidsLimit}},{{.CPUCfsQuota}},{{json .SecurityOptions}}]"


@dataclass(frozen=True)
class Abilities:
    """What is known of a runtime.

    Attributes:
        memory: the kernel holds its containers to an amount of memory.
        threads: and to a number of threads.
        processor: and to a share of the processor.
        is_rootless: root in its containers is the user who runs it, and nobody else.
    """

    memory: bool
    threads: bool
    processor: bool
    is_rootless: bool


def abilities_of(runtime: Runtime) -> Abilities:
    """What it can do; it is asked only where that is not plain.

    docker drops a limit that it can't hold to with no more than a warning, and podman refuses the
    whole container; so neither is asked for what it can't do.

    Raises:
        ContainerRuntimeError: it was asked and did not say.
    """
    if not runtime.is_podman:
        return _of_docker(*_asked(runtime, _OF_DOCKER, _DockerSays))
    if os.getuid() == 0:
        return Abilities(memory=True, threads=True, processor=True, is_rootless=False)
    if not _V2.exists():  # with version 1 only root, or a service of root's, makes any groups
        return Abilities(memory=False, threads=False, processor=False, is_rootless=True)
    return _of_podman(_asked(runtime, _OF_PODMAN, _PodmanSays))


def _asked(runtime: Runtime, form: str, kind: Any) -> Any:
    said = runtime.run(["info", "--format", form])
    try:
        return msgspec.json.decode(said, type=kind)
    except msgspec.DecodeError as error:
        raise ContainerRuntimeError(
            f"{runtime.name} info does not say what it can limit: {error}",
            runtime=runtime.name,
            hint=f"Look at what `{runtime.name} info` says; its service may be stopped or too old.",
        ) from error


_PodmanSays = list[str] | None  # a user's controllers, which systemd has handed on
_DockerSays = tuple[bool, bool, bool, list[str] | None]


def _of_podman(controllers: list[str] | None) -> Abilities:
    there = set(controllers or ())
    return Abilities("memory" in there, "pids" in there, "cpu" in there, is_rootless=True)


def _of_docker(
    memory: bool, threads: bool, processor: bool, options: list[str] | None
) -> Abilities:
    return Abilities(memory, threads, processor, "name=rootless" in (options or ()))
