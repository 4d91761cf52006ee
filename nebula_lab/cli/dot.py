"""The dependency graph in the language of Graphviz."""

from __future__ import annotations

from collections.abc import Mapping

from nebula_lab.views.dependency_graph import DependencyGraph, Edge, EdgeKind, Node
from nebula_lab.views.safe_text import line

_STYLES: Mapping[EdgeKind, str] = {
    EdgeKind.PLAIN: "",
    EdgeKind.OPTIONAL: ", style=dashed",
    EdgeKind.UNSUITABLE: ", color=darkorange",
    EdgeKind.CYCLE: ", color=red, penwidth=3",
}


def dot_digraph(graph: DependencyGraph) -> str:
    """The text of a `digraph`; edges of a cycle are thick and red, and say so."""
    nodes = [_node(node) for node in graph.nodes.values()]
    edges = [_edge(edge) for edge in graph.edges]
    return "\n".join(["digraph plugins {", "  node [shape=box];", *nodes, *edges, "}"])


def _node(node: Node) -> str:
    label = f"{quoted(node.plugin_id)[:-1]}\\n{quoted(f'{node.version} {node.state}'.strip())[1:]}"
    return f"  {quoted(node.plugin_id)} [label={label}];"


def _edge(edge: Edge) -> str:
    words = ", ".join(filter(None, (edge.requirement, edge.kind.value)))
    ends = f"{quoted(edge.dependent)} -> {quoted(edge.dependency)}"
    return f"  {ends} [label={quoted(words)}{_STYLES[edge.kind]}];"


def quoted(text: str) -> str:
    """A quoted string; in it only the quote and the backslash mean something."""
    return '"' + line(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
