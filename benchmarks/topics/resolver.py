"""The resolver against networkx: build the same graph and sort it.

Every turn is on a graph that its contender has not seen. The resolver's time is for registering
every descriptor, checking each version, bound and dependency, and giving the load order and
generations; networkx's is for adding nodes and edges and for sorting them.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import networkx as nx

from benchmarks.contender import Contender, Work
from benchmarks.result import Plan, Result, Table, Topic, timing_table
from benchmarks.rounds import Samples
from benchmarks.spread import ratio
from nebula_lab.model.descriptor import PluginDependency, PluginDescriptor, PluginMetadata
from nebula_lab.model.requirement import VersionReq
from nebula_lab.model.version import Version
from nebula_lab.resolver import PluginRegistry

SIZES, QUICK_SIZES = (1_000, 10_000), (20, 200)
DEPENDENCIES_EACH = 3
ROUNDS = 7
OURS, TOPOLOGICAL = "**resolver**", "networkx `topological_sort`"
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


SORTS: Mapping[str, Callable[[list[PluginDescriptor]], list[str]]] = MappingProxyType(
    {
        OURS: resolve,
        TOPOLOGICAL: sort_with_networkx,
        "networkx `lexicographical_topological_sort`": lexicographically,
    }
)


@contextlib.contextmanager
def sorting(name: str, count: int) -> Iterator[Work]:
    """Sort so many plugins, others in each turn."""
    seeds = itertools.count()
    waiting = [make_plugins(count, next(seeds))]

    def settle(order: Any) -> None:
        if len(order) != count:
            raise ValueError(f"{len(order)} plugins came of {count}")
        waiting.append(make_plugins(count, next(seeds)))
        gc.collect()

    yield Work(lambda: SORTS[name](waiting.pop()), settle)


def contenders(plan: Plan) -> list[Contender]:
    return [
        Contender(_named(name, count), sorting, (name, count))
        for count in _sizes(plan)
        for name in SORTS
    ]


def _sizes(plan: Plan) -> tuple[int, int]:
    return QUICK_SIZES if plan.quick else SIZES


def _named(name: str, count: int) -> str:
    return f"{name}, {count:,}"


def run(plan: Plan) -> Result:
    rounds = plan.amount(ROUNDS)
    samples = plan.take_turns(contenders(plan), rounds)
    small, large = (partial(_named, count=count) for count in _sizes(plan))
    tables = tuple(_table(samples, count, rounds) for count in _sizes(plan))
    measured = {
        "resolver.to_networkx": ratio(samples[large(OURS)], samples[large(TOPOLOGICAL)]),
        "resolver.growth": ratio(samples[large(OURS)], samples[small(OURS)]),
    }
    return Result(tables, measured)


def _table(samples: Samples, count: int, rounds: int) -> Table:
    of_size = {name: samples[_named(name, count)] for name in SORTS}
    title = f"Milliseconds for {count:,} plugins, {rounds} rounds"
    return timing_table(title, of_size, "ms", {"× networkx": TOPOLOGICAL})


TOPIC = Topic("resolver", "Resolver: load order of 10,000 plugins", contenders, run)
