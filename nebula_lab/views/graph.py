"""The dependency graph for people: a Mermaid picture, and a tree of text that says the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from nebula_lab.model.state import PluginState
from nebula_lab.views.dependency_graph import DependencyGraph, Edge, EdgeKind, read_graph
from nebula_lab.views.mermaid import mermaid_flowchart
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.safe_text import line

if TYPE_CHECKING:
    import networkx as nx

    Graph = nx.DiGraph[str]

MERMAID = "text/vnd.mermaid"
MAX_LINES = 1_000
MAX_INDENT = 40


def graph_view(graph: Graph, states: Mapping[str, PluginState]) -> Rendered:
    """The picture where a front end draws it, and the tree everywhere else.

    Args:
        graph: as `PluginManager.graph` gives it.
        states: where each plugin is in its life, by id.
    """
    read = read_graph(graph, states)
    picture = mermaid_flowchart(read)
    return Rendered(dependency_tree(read), extra_mime={MERMAID: picture} if picture else {})


def dependency_tree(graph: DependencyGraph) -> str:
    """Each plugin that nothing needs, with what it needs below it.

    A plugin's own dependencies are written out where it comes first, and referred to after that.
    """
    lines: list[str] = []
    for text in _Tree(graph).lines():
        if len(lines) == MAX_LINES:
            lines.append(f"… the rest of {len(graph.nodes):,} plugins")
            break
        lines.append(text)
    return "\n".join(lines) or "No plugins."


class _Tree:
    """Walks the graph without recursion, since a chain may be thousands of plugins long."""

    def __init__(self, graph: DependencyGraph) -> None:
        self._nodes = graph.nodes
        self._edges: dict[str, list[Edge]] = {plugin_id: [] for plugin_id in graph.nodes}
        for edge in graph.edges:
            self._edges[edge.dependent].append(edge)
        self._needed = {edge.dependency for edge in graph.edges}
        self._shown: set[str] = set()

    def lines(self) -> Iterator[str]:
        roots = (plugin_id for plugin_id in self._nodes if plugin_id not in self._needed)
        yield from self._from(roots)
        # What is left hangs below a cycle that nothing outside of it needs.
        yield from self._from(self._nodes)

    def _from(self, roots: Iterable[str]) -> Iterator[str]:
        for root in roots:
            if root not in self._shown:
                yield self._label(root)
                yield from self._below(root)

    def _below(self, root: str) -> Iterator[str]:
        self._shown.add(root)
        pending = [(edge, 0) for edge in reversed(self._edges[root])]
        while pending:
            edge, depth = pending.pop()
            again = edge.dependency in self._shown
            yield self._branch(edge, depth, again)
            if not again:
                self._shown.add(edge.dependency)
                pending += [(e, depth + 1) for e in reversed(self._edges[edge.dependency])]

    def _branch(self, edge: Edge, depth: int, again: bool) -> str:
        indent = "   " * min(depth, MAX_INDENT) + ("…" if depth > MAX_INDENT else "")
        words = [edge.requirement] + ([edge.kind.value] if edge.kind is not EdgeKind.PLAIN else [])
        more = " (see above)" if again and self._edges[edge.dependency] else ""
        return f"{indent}└─ {self._label(edge.dependency)}  needs {', '.join(words)}{more}"

    def _label(self, plugin_id: str) -> str:
        node = self._nodes[plugin_id]
        return line(" ".join(filter(None, (plugin_id, node.version, f"[{node.state}]"))))
