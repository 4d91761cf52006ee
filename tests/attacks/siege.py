"""A manager under attack, seen from outside: what it is told, and what reached the stage."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attack_stage import Stage
from attacks import ATTACKS

from nebula_lab.agent.marking import MARK

TIMEOUT = 40.0
# What the machine lacks that has only Landlock, seccomp and rlimits.
NO_NAMESPACES = ("namespaces", "pid_namespace", "counts_threads", "cgroups", "cgroup_memory")


class Siege:
    """A stage, and a manager on it that runs as the stage's user.

    Args:
        uid: of the user.
        variables: more of what the environment has.
        lacks: mechanisms that the machine is to be without.
        security: settings.

    Attributes:
        target: what attackers are told.
        is_poor: whether the machine lacks anything.
    """

    def __init__(
        self,
        uid: int,
        variables: Mapping[str, str] | None = None,
        *,
        lacks: tuple[str, ...] = (),
        is_known: bool = False,
        **security: Any,
    ) -> None:
        self.is_poor = bool(lacks)
        self.stage = Stage(uid, variables, is_known=is_known)
        self._manager = self.stage.start("managed_runner.py")
        # One of the attackers may start processes; what it leaves behind is looked for. Another
        # may use files.
        security = {"capabilities": ["ProcessSpawn", "FileSystem"], **security}
        order = {"secrets": self.stage.secrets, "security": security, "lacks": lacks}
        self._manager.say(json.dumps(order))
        self.pid = self._manager.pid
        self.target = self.stage.target() | self.ask("target")

    def ask(self, do: str, **order: Any) -> Any:
        return self._manager.ask(json.dumps({"do": do, **order}), 2 * TIMEOUT)

    def attempt(self, name: str, plugin: str = "attacker", timeout: float = TIMEOUT) -> Any:
        return self.ask("attempt", plugin=plugin, name=name, target=self.target, timeout=timeout)

    def effects(self) -> dict[str, object]:
        """What attacks did to the stage and to the manager so far."""
        new = Path(self.target["environment"], "written")
        found = self.stage.file_effects() | self.ask("effects")
        found |= dict(self.stage.listeners.reached)
        return found | {"daemon": self.stage.daemons(), "environment": new.exists()}

    def close(self) -> list[str]:
        """End the manager; what it left of processes and run folders."""
        self._manager.close(30.0)
        folders = self.run_folders()
        left = [f"process {pid}" for pid in self._processes()]
        self.stage.close()
        return folders + left

    def run_folders(self) -> list[str]:
        """Of managers that ran on this stage."""
        return [str(path) for path in (self.stage.folder / "tmp").glob("nebula-lab-*/nebula-*")]

    def _processes(self) -> list[int]:
        """What carries the mark of a host of this manager, or the token of a daemon."""
        mark, found = f"{MARK}={self.pid}-".encode(), self.stage.daemons()
        for pid in self.stage.newer_processes():
            with contextlib.suppress(OSError):
                found += [pid] if mark in Path(f"/proc/{pid}/environ").read_bytes() else []
        return found


def themed(*themes: str) -> list[str]:
    return [name for name, attack in ATTACKS.items() if attack.theme in themes]
