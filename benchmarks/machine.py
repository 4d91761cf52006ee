"""The machine that figures were measured on."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from nebula_lab import __version__

PEERS = (
    "ipykernel", "jupyter_client", "pyzmq", "msgspec", "numpy", "pluggy", "networkx", "ipyparallel",
    "distributed", "rpyc", "Pyro5", "grpcio", "appose",
)  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """Where and when a run was.

    Attributes:
        date: ISO 8601, local.
        memory: bytes.
        loads: the machine's load average over a minute when the run began, and when it had ended.
            Much above 0 at the beginning means that others worked there too.
        versions: of what took part, by package; those that are not installed are left out.
    """

    date: str
    processor: str
    cores: int
    memory: int
    kernel: str
    python: str
    nebula_lab: str
    loads: tuple[float, ...]
    versions: dict[str, str]

    def at_end(self) -> Machine:
        """The same, with the load as it is now too."""
        return replace(self, loads=(*self.loads, os.getloadavg()[0]))

    @classmethod
    def here(cls) -> Machine:
        return cls(
            date=datetime.datetime.now().astimezone().date().isoformat(),
            processor=_processor(),
            cores=len(os.sched_getaffinity(0)),
            memory=psutil.virtual_memory().total,
            kernel=f"{platform.system()} {platform.release()}",
            python=f"{platform.python_implementation()} {platform.python_version()}",
            nebula_lab=__version__,
            loads=os.getloadavg()[:1],
            versions=dict(_versions(PEERS)),
        )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _versions(packages: Iterable[str]) -> Iterable[tuple[str, str]]:
    for package in packages:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue
