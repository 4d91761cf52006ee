"""Discovery against the least that it could cost: reading and parsing the same manifests."""

from __future__ import annotations

import contextlib
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from benchmarks.contender import Contender, Run
from benchmarks.result import Plan, Result, Topic, timing_table
from benchmarks.spread import ratio
from nebula_lab.discovery import FileSystemDiscoverer

OURS, PARSING = "**find and read**", "read and parse the TOML alone"
PLUGINS, ROUNDS = 1000, 9

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
    if len(result.descriptors) != count:
        raise ValueError(f"{len(result.descriptors)} of {count} found: {result.problems[:3]}")


WAYS: Mapping[str, Callable[[Path, int], None]] = MappingProxyType(
    {PARSING: read_and_parse, OURS: discover}
)


@contextlib.contextmanager
def reading(name: str, count: int) -> Iterator[Run]:
    """Go through a folder with so many plugins, each a source and its TOML manifest."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        write_plugins(Path(folder), count)
        yield partial(WAYS[name], Path(folder), count)


def contenders(plan: Plan) -> list[Contender]:
    count = plan.amount(PLUGINS, 20)
    return [Contender(name, reading, (name, count)) for name in WAYS]


def run(plan: Plan) -> Result:
    rounds = plan.amount(ROUNDS)
    samples = plan.take_turns(contenders(plan), rounds)
    title = f"Milliseconds for {plan.amount(PLUGINS, 20):,} plugins, {rounds} rounds"
    table = timing_table(title, samples, "ms", {"× parsing alone": PARSING})
    return Result((table,), {"discovery.to_parsing": ratio(samples[OURS], samples[PARSING])})


TOPIC = Topic("discovery", "Discovery: finding 1,000 plugins", contenders, run)
