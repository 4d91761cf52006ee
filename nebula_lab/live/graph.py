"""The dependency graph as it is sent: its cycles, its conflicts, and where each is declared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from nebula_lab.live.messages import Graph
from nebula_lab.live.rows import EdgeWord, GraphCycle, GraphEdge, GraphNode
from nebula_lab.manager import PluginManager
from nebula_lab.model import Problem
from nebula_lab.model.problem import ProblemKind
from nebula_lab.views.dependency_graph import EdgeKind, read_graph
from nebula_lab.views.safe_text import line, prose

if TYPE_CHECKING:
    import networkx as nx

MOST_NODES = 2_000
MOST_EDGES = 10_000
_WHERE_LIMIT = 1_000
_WORDS = {
    EdgeKind.PLAIN: "plain",
    EdgeKind.OPTIONAL: "optional",
    EdgeKind.UNSUITABLE: "unsuitable",
    EdgeKind.CYCLE: "cycle",
}
_CONFLICTS = frozenset({ProblemKind.VERSION_MISMATCH, ProblemKind.NEBULA_VERSION})


def read_graph_now(manager: PluginManager) -> Graph:
    """Plugins and dependencies as they are declared now."""
    declared = manager.graph
    loadable = set(manager.load_order)
    states = {info.id: info.state for info in manager.list_plugins() if info.id in loadable}
    read = read_graph(declared, states)
    problems = manager.problems
    conflicts = _conflicts(problems)
    nodes = tuple(
        GraphNode(line(node.plugin_id), node.version, node.state, conflicts.get(node.plugin_id, ""))
        for node in list(read.nodes.values())[:MOST_NODES]
    )
    shown = {node.id for node in nodes}
    edges = tuple(
        GraphEdge(
            line(edge.dependent),
            line(edge.dependency),
            line(edge.requirement),
            cast("EdgeWord", _WORDS[edge.kind]),
            _where(declared, edge.dependent, edge.dependency),
        )
        for edge in read.edges[:MOST_EDGES]
        if edge.dependent in shown and edge.dependency in shown
    )
    return Graph(nodes, edges, tuple(_cycles(problems)))


def _conflicts(problems: Iterable[Problem]) -> dict[str, str]:
    return {
        problem.plugin_id: prose(problem.message, _WHERE_LIMIT)
        for problem in problems
        if problem.kind in _CONFLICTS and problem.plugin_id is not None
    }


def _cycles(problems: Iterable[Problem]) -> Iterable[GraphCycle]:
    """Each cycle once: all of its members have it as their problem."""
    seen = set()
    for problem in problems:
        path = tuple(line(one) for one in problem.chain[:-1])
        if problem.kind == ProblemKind.CYCLE and frozenset(path) not in seen:
            seen.add(frozenset(path))
            declared = tuple(line(one, _WHERE_LIMIT) for one in problem.declarations)
            yield GraphCycle(path, declared)


def _where(graph: nx.DiGraph[str], dependent: str, dependency: str) -> str:
    return line(graph.edges[dependent, dependency].get("declared_in") or "", _WHERE_LIMIT)
