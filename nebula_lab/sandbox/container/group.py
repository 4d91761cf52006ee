"""What the kernel says of the control group that a runtime made for a container."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from pathlib import Path

from nebula_lab.model.policy import Limits
from nebula_lab.sandbox.host_group import HostGroup
from nebula_lab.sandbox.usage import PROCESSOR

_ROOT = Path("/sys/fs/cgroup")
# By controller, the file that counts and the word before the count, in version 1 and in 2.
_COUNTS = {
    "memory": (("memory", "memory.oom_control", "oom_kill"), ("", "memory.events", "oom_kill")),
    "threads": (("pids", "pids.events", "max"), ("", "pids.events", "max")),
}


class ContainerGroup(HostGroup):
    """The runtime makes it, limits it and removes it; here its counts are read.

    Args:
        holds_processor: whether it holds the container to a share of the processor.
    """

    def __init__(self, *, holds_processor: bool) -> None:
        super().__init__(None)
        self._holds_processor = holds_processor
        self._counting = threading.Lock()
        self._files: dict[str, tuple[Path, str]] = {}
        self._known: dict[str, int] = {}
        self._told: dict[str, int] = {}

    def hold(self, limits: Limits, starts_others: bool) -> frozenset[str]:
        is_held = self._holds_processor and limits.cpu_percent is not None
        return frozenset({PROCESSOR}) if is_held else frozenset()

    def follow(self, pid: int) -> None:
        """Read the counts of the group that a process is in."""
        with contextlib.suppress(OSError):
            folders = _folders_of(pid)
            for what, places in _COUNTS.items():
                for controller, name, word in places:
                    folder = folders.get(controller)
                    if folder is not None and (folder / name).exists():
                        self._files.setdefault(what, (folder / name, word))
        with self._counting:
            self._read()
            self._told = dict(self._known)

    def _read(self) -> None:
        for what, (file, word) in self._files.items():
            with contextlib.suppress(OSError, ValueError):  # the runtime may have removed it
                words = file.read_text().split()
                self._known[what] = int(words[words.index(word) + 1])

    def kill(self) -> None:
        """Note what is known now: soon after its end the runtime removes it."""
        with self._counting:
            self._read()

    def new_stops(self) -> frozenset[str]:
        with self._counting:
            self._read()
            now, before = dict(self._known), self._told
            self._told = now
        return frozenset(what for what, count in now.items() if count > before.get(what, 0))


def _folders_of(pid: int) -> Mapping[str, Path]:
    """The folder of a process's group, by controller; version 2 has one, under ""."""
    found = {}
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            found[controller] = _ROOT / controller / path.lstrip("/")
    return found
