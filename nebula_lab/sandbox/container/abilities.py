"""What a runtime can do for whoever runs the manager: which limits, and as whom its root is."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
        return _of_docker(_asked(runtime, _OF_DOCKER))
    if os.getuid() == 0:
        return Abilities(memory=True, threads=True, processor=True, is_rootless=False)
    if not _V2.exists():  # with version 1 only root, or a service of root's, makes any groups
        return Abilities(memory=False, threads=False, processor=False, is_rootless=True)
    return _of_podman(_asked(runtime, _OF_PODMAN))


def _asked(runtime: Runtime, form: str) -> Any:
    said = runtime.run(["info", "--format", form])
    try:
        return json.loads(said)
    except ValueError as error:
        raise ContainerRuntimeError(
            f"{runtime.name} info does not say what it can limit", runtime=runtime.name
        ) from error


def _of_podman(controllers: Any) -> Abilities:
    there = set(controllers or ())  # a user has those that systemd has handed on
    return Abilities("memory" in there, "pids" in there, "cpu" in there, is_rootless=True)


def _of_docker(said: Any) -> Abilities:
    memory, threads, processor, options = said
    return Abilities(memory, threads, processor, "name=rootless" in (options or ()))
