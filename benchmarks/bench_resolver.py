"""The resolver against networkx: build the same graph and sort it.

Every round times each contender once, in turn, on graphs that it has not seen; medians and their
ratios are printed. The resolver's time is for registering every descriptor, checking each version,
bound and dependency, and giving the load order and generations; networkx's is for adding nodes and
edges and for `topological_sort`. Run: python benchmarks/bench_resolver.py [rounds]
"""

from __future__ import annotations

import gc
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import networkx as nx

from nebula_lab.model.descriptor import PluginDependency, PluginDescriptor, PluginMetadata
from nebula_lab.model.requirement import VersionReq
from nebula_lab.model.version import Version
from nebula_lab.resolver import PluginRegistry

SIZES = (1_000, 10_000)
DEPENDENCIES_EACH = 3
LIMIT_TO_NETWORKX = 2.0
LIMIT_TO_TENTH = 20.0
REQUIREMENTS = ("*", "^1.0", ">=1.0, <2.0", "~1.2", ">=1.0.0, <2.0.0, ^1.1")


def make_plugins(count: int, seed: int) -> list[PluginDescriptor]:
    """Plugins in random order, three dependencies on earlier ones each, no two objects shared."""
    rng = random.Random(seed)
    plugins = [_make_plugin(number, rng) for number in range(count)]
    rng.shuffle(plugins)
    return plugins


def _make_plugin(number: int, rng: random.Random) -> PluginDescriptor:
    earlier = rng.sample(range(number), min(number, DEPENDENCIES_EACH))
    return PluginDescriptor(
        id=f"plugin_{number:05}",
        version=Version.parse(f"1.2.{number % 50}"),
        path=Path(f"/plugins/plugin_{number:05}.py"),
        dependencies=tuple(
            PluginDependency(
                plugin_id=f"plugin_{other:05}",
                version_req=VersionReq.parse(rng.choice(REQUIREMENTS)),
            )
            for other in earlier
        ),
        metadata=PluginMetadata(
            tags=(f"priority:{rng.randrange(20)}",) if rng.random() < 0.3 else (),
            min_nebula_version=Version.parse("0.1.0"),
            max_nebula_version=Version.parse("1.0.0"),
        ),
    )


def resolve(plugins: list[PluginDescriptor]) -> list[str]:
    registry = PluginRegistry()
    for plugin in plugins:
        registry.register(plugin)
    resolution = registry.resolve_dependencies()
    assert not resolution.problems
    return list(resolution.load_order)


def sort_with_networkx(plugins: list[PluginDescriptor]) -> list[str]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(plugin.id for plugin in plugins)
    graph.add_edges_from(
        (dependency.plugin_id, plugin.id)
        for plugin in plugins
        for dependency in plugin.dependencies
    )
    return list(nx.topological_sort(graph))


def lexicographically(plugins: list[PluginDescriptor]) -> list[str]:
    """networkx again, with the sort that gives the same order on every run."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(plugin.id for plugin in plugins)
    graph.add_edges_from(
        (dependency.plugin_id, plugin.id)
        for plugin in plugins
        for dependency in plugin.dependencies
    )
    return list(nx.lexicographical_topological_sort(graph))


def milliseconds(
    work: Callable[[list[PluginDescriptor]], list[str]], count: int, seed: int
) -> float:
    plugins = make_plugins(count, seed)
    gc.collect()
    start = time.perf_counter()
    order = work(plugins)
    elapsed = time.perf_counter() - start
    assert len(order) == count
    return 1000 * elapsed


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    contenders = (resolve, sort_with_networkx, lexicographically)
    times = {(work, count): [] for work in contenders for count in SIZES}
    for seed in range(rounds):
        for (work, count), samples in times.items():
            samples.append(milliseconds(work, count, seed))
    medians = {key: statistics.median(samples) for key, samples in times.items()}
    for (work, count), median in medians.items():
        print(f"{work.__name__:20} {count:6} plugins {median:8.1f} ms")
    small, large = SIZES
    to_networkx = medians[resolve, large] / medians[sort_with_networkx, large]
    to_lexicographical = medians[resolve, large] / medians[lexicographically, large]
    to_tenth = medians[resolve, large] / medians[resolve, small]
    print(f"resolver / networkx topological_sort:  {to_networkx:.2f} (limit {LIMIT_TO_NETWORKX})")
    print(f"resolver / networkx lexicographical:   {to_lexicographical:.2f}")
    print(f"{large} plugins / {small} plugins:      {to_tenth:.1f} (limit {LIMIT_TO_TENTH})")
    return 0 if to_networkx <= LIMIT_TO_NETWORKX and to_tenth <= LIMIT_TO_TENTH else 1


if __name__ == "__main__":
    raise SystemExit(main())
