"""What holds for any set of plugins, however broken."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import networkx as nx
import pytest

from nebula_lab.model.descriptor import PluginDependency, PluginDescriptor, PluginMetadata
from nebula_lab.model.problem import ProblemKind
from nebula_lab.model.requirement import VersionReq
from nebula_lab.resolver import PluginRegistry
from nebula_lab.resolver.cycles import cyclic_components, shortest_cycle

# Of every number of plugins alike, the fewest first: the first that breaks a rule is a small one.
EXAMPLES = 800
MOST = 8
REQUIREMENTS = [VersionReq.parse(text) for text in ("*", "*", "*", "^1", "^2")]


def _registry(chance: random.Random, count: int) -> PluginRegistry:
    """Plugins p0, p1, … with any dependencies among them, and maybe on one that is not there."""
    last = count - (chance.random() < 0.75)

    def dependency() -> PluginDependency:
        return PluginDependency(
            plugin_id=f"p{chance.randint(0, last)}",
            version_req=chance.choice(REQUIREMENTS),
            optional=chance.random() < 0.5,
        )

    registry = PluginRegistry()
    for number in chance.sample(range(count), count):
        registry.register(
            PluginDescriptor(
                id=f"p{number}",
                version="1.0.0",
                path=Path(f"p{number}.py"),
                dependencies=tuple(dependency() for _ in range(chance.randint(0, 3))),
                metadata=PluginMetadata(tags=(f"priority:{chance.randint(0, 2)}",)),
            )
        )
    return registry


@pytest.fixture(scope="module")
def resolved():
    """Registries, each with what has become of it."""
    chance = random.Random(1)
    registries = [_registry(chance, 1 + n * MOST // EXAMPLES) for n in range(EXAMPLES)]
    return [(registry, registry.resolve_dependencies()) for registry in registries]


def _suits(entry, plugins):
    return entry.plugin_id in plugins and entry.version_req.matches(
        plugins[entry.plugin_id].version
    )


def _loadable(plugins):
    """By induction: what needs nothing, then what needs only that, and so on."""
    loadable = set()
    while True:
        more = {
            plugin_id
            for plugin_id, plugin in plugins.items()
            if all(
                _suits(entry, plugins) and entry.plugin_id in loadable
                for entry in plugin.dependencies
                if not entry.optional
            )
        }
        if more == loadable:
            return loadable
        loadable = more


def test_whatever_is_outside_the_broken_part_loads(resolved):
    for registry, resolution in resolved:
        assert set(resolution.load_order) == _loadable(registry.plugins)
        assert set(resolution.excluded) == set(registry.plugins) - set(resolution.load_order)


def test_the_order_is_the_first_by_priority_and_id_that_the_dependencies_allow(resolved):
    for registry, resolution in resolved:
        graph = nx.DiGraph()
        graph.add_nodes_from(resolution.load_order)
        for plugin_id, dependencies in resolution.dependencies.items():
            graph.add_edges_from((dependency, plugin_id) for dependency in dependencies)
        expected = nx.lexicographical_topological_sort(
            graph, key=lambda plugin_id: (-registry.plugins[plugin_id].metadata.priority, plugin_id)
        )
        assert list(resolution.load_order) == list(expected)
        assert [sorted(group) for group in resolution.generations] == [
            sorted(group) for group in nx.topological_generations(graph)
        ]


def test_a_plugin_is_loaded_with_all_that_it_requires(resolved):
    for registry, resolution in resolved:
        for plugin_id in resolution.load_order:
            required = {
                e.plugin_id for e in registry.plugins[plugin_id].dependencies if not e.optional
            }
            assert required <= set(resolution.dependencies[plugin_id])


def test_an_optional_dependency_is_used_or_noted(resolved):
    for registry, resolution in resolved:
        noted = {note.chain for note in resolution.notes}
        for plugin_id in resolution.load_order:
            for entry in registry.plugins[plugin_id].dependencies:
                used = entry.plugin_id in resolution.dependencies[plugin_id]
                assert used or (plugin_id, entry.plugin_id) in noted


def test_a_usable_optional_dependency_is_dropped_only_from_a_cycle(resolved):
    for registry, resolution in resolved:
        loaded = set(resolution.load_order)
        usable = nx.DiGraph(
            (plugin_id, entry.plugin_id)
            for plugin_id in loaded
            for entry in registry.plugins[plugin_id].dependencies
            if entry.plugin_id in loaded and _suits(entry, registry.plugins)
        )
        for dependent, dependency in usable.edges:
            if dependency not in resolution.dependencies[dependent]:
                assert nx.has_path(usable, dependency, dependent)


def test_a_chain_follows_required_dependencies_to_a_cause(resolved):
    for registry, resolution in resolved:
        for problem in resolution.problems:
            if problem.kind is ProblemKind.BROKEN_DEPENDENCY:
                assert problem.chain[0] == problem.plugin_id
                ids = [step for step in problem.chain if step in registry.plugins]
                for dependent, dependency in pairwise(ids):
                    entries = registry.plugins[dependent].dependencies
                    assert any(e.plugin_id == dependency and not e.optional for e in entries)
                last = ids[-1]
                assert resolution.excluded[last].kind is not ProblemKind.BROKEN_DEPENDENCY


def test_each_component_gets_a_shortest_closed_path():
    chance = random.Random(1)
    for number in range(EXAMPLES):
        count = 1 + number * MOST // EXAMPLES
        _require_shortest(
            [[chance.randrange(count) for _ in range(chance.randint(0, 3))] for _ in range(count)]
        )


def _require_shortest(edges):
    components = cyclic_components(range(len(edges)), edges)
    graph = nx.DiGraph((a, b) for a, targets in enumerate(edges) for b in targets)
    cycles = list(nx.simple_cycles(graph))
    assert sorted(rank for component in components for rank in component) == sorted(
        {rank for cycle in cycles for rank in cycle}
    )
    for component in components:
        path = shortest_cycle(component, edges)
        inside = [cycle for cycle in cycles if set(cycle) <= set(component)]
        assert len(path) == min(len(cycle) for cycle in inside)
        assert all(b in edges[a] for a, b in zip(path, [*path[1:], path[0]], strict=True))
