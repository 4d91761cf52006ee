"""The graph of plugins and their dependencies, read once for all its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.model.requirement import VersionReq
from nebula_lab.model.state import PluginState

if TYPE_CHECKING:
    import networkx as nx

    Graph = nx.DiGraph[str]

MISSING = "missing"


class EdgeKind(Enum):
    """How a dependency stands; the value is what a reader is told, where that is anything."""

    PLAIN = ""
    OPTIONAL = "optional"
    UNSUITABLE = "another version is here"
    CYCLE = "cycle"


class Node(Struct, frozen=True):
    """A plugin; one that is missing has no version."""

    plugin_id: str
    version: str = ""
    state: str = MISSING


class Edge(Struct, frozen=True):
    """A dependency, from the plugin that declares it."""

    dependent: str
    dependency: str
    requirement: str
    kind: EdgeKind


class DependencyGraph(Struct, frozen=True):
    """Nodes by id, and edges in the order of their ends."""

    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]


def read_graph(graph: Graph, states: Mapping[str, PluginState]) -> DependencyGraph:
    """What there is to draw.

    Args:
        graph: as `PluginManager.graph` gives it.
        states: where each plugin is in its life; one that is not in it counts as left out.
    """
    nodes = {plugin_id: _node(graph, plugin_id, states) for plugin_id in sorted(graph)}
    component_of = _cycle_components(graph)
    edges = tuple(
        Edge(a, b, str(data.get("requirement", "*")), _kind(graph, a, b, component_of))
        for a, b, data in sorted(graph.edges(data=True), key=lambda edge: edge[:2])
    )
    return DependencyGraph(nodes, edges)


def _node(graph: Graph, plugin_id: str, states: Mapping[str, PluginState]) -> Node:
    descriptor: PluginDescriptor | None = graph.nodes[plugin_id].get("descriptor")
    if descriptor is None:
        return Node(plugin_id)
    state = states.get(plugin_id)
    return Node(plugin_id, str(descriptor.version), "left out" if state is None else state.value)


def _cycle_components(graph: Graph) -> dict[str, int]:
    """The component of each plugin in a cycle; optional dependencies close none."""
    import networkx as nx  # whoever has a graph has it already

    required: Graph = nx.DiGraph()
    required.add_edges_from(
        (a, b) for a, b, data in graph.edges(data=True) if not data.get("optional")
    )
    return {
        plugin_id: number
        for number, component in enumerate(nx.strongly_connected_components(required))
        for plugin_id in component
    }


def _kind(graph: Graph, a: str, b: str, component_of: Mapping[str, int]) -> EdgeKind:
    data = graph.edges[a, b]
    if data.get("optional"):
        return EdgeKind.OPTIONAL
    # Within one component every edge is on a closed path; one from a plugin to itself is one.
    if component_of[a] == component_of[b]:
        return EdgeKind.CYCLE
    descriptor: PluginDescriptor | None = graph.nodes[b].get("descriptor")
    requirement: VersionReq | None = data.get("requirement")
    if descriptor and requirement and not requirement.matches(descriptor.version):
        return EdgeKind.UNSUITABLE
    return EdgeKind.PLAIN
