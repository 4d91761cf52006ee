"""Discovery against the least that it could cost: reading and parsing the same manifests.

Writes 1,000 plugins, each a source and its TOML manifest, then takes turns between the two and
prints the median of each and their ratio. At most 3.0 is wanted.

    python benchmarks/bench_discovery.py [plugins] [rounds]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

from nebula_lab.discovery import FileSystemDiscoverer

MANIFEST = """\
id = "plugin_{n}"
name = "Plugin {n}"
version = "1.{n}.0"
path = "./plugin_{n}.py"

[metadata]
author = "Your Name"
description = "Custom resource for special operations"
license = "MIT"
homepage = "https://example.org/plugin-{n}"
tags = ["database", "cache", "priority:{priority}"]
min_nebula_version = "0.2.0"
max_nebula_version = "1.0.0"

[[dependencies]]
plugin_id = "base_resource"
version_req = ">=1.{minor}.0, <2.0.0"
optional = false

[[dependencies]]
plugin_id = "logger"
version_req = ">=0.5.0"
optional = true
"""

SOURCE = '''\
"""Plugin {n}: counts."""

from nebula_lab.plugin import Plugin, operation

PLUGIN_API_VERSION = 1


class Counter(Plugin):
    def initialize(self, config):
        self.count = config.get("start", {n})

    @operation
    def add(self, n: int = 1) -> int:
        """Add n to the counter and return it."""
        self.count += n
        return self.count


def plugin_entry():
    return Counter()
'''


def write_plugins(folder: Path, count: int) -> None:
    for n in range(count):
        (folder / f"plugin_{n}.toml").write_text(
            MANIFEST.format(n=n, priority=n % 20, minor=n % 50)
        )
        (folder / f"plugin_{n}.py").write_text(SOURCE.format(n=n))


def read_and_parse(folder: Path, count: int) -> None:
    for n in range(count):
        with open(folder / f"plugin_{n}.toml", "rb") as file:  # noqa: PTH123 - the plain way
            tomllib.load(file)


def discover(folder: Path, count: int) -> None:
    result = FileSystemDiscoverer(folder).discover()
    assert len(result.descriptors) == count, result.problems[:3]


def measure(
    folder: Path, count: int, rounds: int, clock: Callable[[], float]
) -> tuple[list[float], list[float]]:
    """Seconds of each round: reading and parsing alone, and discovery, in turns."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for action, measured in zip((read_and_parse, discover), times, strict=True):
            start = clock()
            action(folder, count)
            measured.append(clock() - start)
    return times


def main(count: int = 1000, rounds: int = 7) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_plugins(folder, count)
        floor, ours = map(statistics.median, measure(folder, count, rounds, time.perf_counter))
    print(f"read and tomllib-parse {count} manifests: {floor * 1e3:7.1f} ms")
    print(f"find and read {count} plugins:            {ours * 1e3:7.1f} ms")
    print(f"ratio: {ours / floor:.2f} (at most 3.0)")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
