"""The dependency graph as a Mermaid flowchart, which JupyterLab draws without a network."""

from __future__ import annotations

from collections.abc import Mapping

from nebula_lab.model.state import PluginState
from nebula_lab.views.dependency_graph import MISSING, DependencyGraph, Edge, EdgeKind, Node
from nebula_lab.views.safe_text import line

# Mermaid's own bounds (maxEdges, maxTextSize), which a diagram can't raise by itself.
MAX_EDGES = 500
MAX_TEXT = 50_000

_ARROWS = {
    EdgeKind.PLAIN: "-->",
    EdgeKind.OPTIONAL: "-.->",
    EdgeKind.UNSUITABLE: "-->",
    EdgeKind.CYCLE: "==>",
}
_LINKS = {
    EdgeKind.CYCLE: "stroke:#d32f2f,stroke-width:4px",
    EdgeKind.UNSUITABLE: "stroke:#e65100,stroke-width:2px",
}
# Text and fill are given together, so that either theme shows dark on light.
_CLASSES: Mapping[str, str] = {
    PluginState.DISCOVERED.value: "fill:#eceff1,stroke:#607d8b,color:#263238",
    PluginState.LOADING.value: "fill:#e1f5fe,stroke:#0277bd,color:#01579b",
    PluginState.LOADED.value: "fill:#e8f5e9,stroke:#2e7d32,color:#1b5e20",
    PluginState.ACTIVE.value: "fill:#c8e6c9,stroke:#1b5e20,color:#1b5e20,stroke-width:2px",
    PluginState.SUSPENDED.value: "fill:#fff8e1,stroke:#ff8f00,color:#5d4037",
    PluginState.FAILED.value: "fill:#ffebee,stroke:#c62828,color:#b71c1c",
    PluginState.UNLOADING.value: "fill:#e1f5fe,stroke:#0277bd,color:#01579b",
    "left out": "fill:#fbe9e7,stroke:#bf360c,color:#bf360c",
    MISSING: "fill:#ffffff,stroke:#c62828,color:#c62828,stroke-dasharray:5 3",
}


def mermaid_flowchart(graph: DependencyGraph) -> str | None:
    """The text of the diagram; None when it is larger than Mermaid takes.

    States are colours and words, cycles thick red edges, optional dependencies dashed ones.
    """
    if len(graph.edges) > MAX_EDGES:
        return None
    # An id of a plugin may be a word of Mermaid's, such as `end`: nodes are numbered.
    names = {plugin_id: f"n{number}" for number, plugin_id in enumerate(graph.nodes)}
    lines = ["flowchart TD"]
    lines += [_node(names[plugin_id], node) for plugin_id, node in graph.nodes.items()]
    lines += [_edge(names, edge) for edge in graph.edges]
    lines += [
        f"    linkStyle {number} {_LINKS[edge.kind]}"
        for number, edge in enumerate(graph.edges)
        if edge.kind in _LINKS
    ]
    used = {node.state for node in graph.nodes.values()}
    lines += [
        f"    classDef {_class_name(state)} {style}"
        for state, style in _CLASSES.items()
        if state in used
    ]
    text = "\n".join(lines)
    return text if len(text) <= MAX_TEXT else None


def quoted(text: object) -> str:
    """A label in quotes, with every character that could mean something to Mermaid as a code."""
    return '"' + "".join(map(_label_character, line(text))) + '"'


def _label_character(character: str) -> str:
    if character.isalnum() or character in " ._-,=()":
        return character
    return f"#{ord(character)};"


def _node(name: str, node: Node) -> str:
    labels = [node.plugin_id, f"{node.version} {node.state}".strip()]
    text = "<br/>".join(quoted(label)[1:-1] for label in labels)
    return f'    {name}["{text}"]:::{_class_name(node.state)}'


def _edge(names: Mapping[str, str], edge: Edge) -> str:
    words = [edge.requirement, edge.kind.value] if edge.kind.value else [edge.requirement]
    ends = names[edge.dependent], names[edge.dependency]
    return f"    {ends[0]} {_ARROWS[edge.kind]}|{quoted(', '.join(words))}| {ends[1]}"


def _class_name(state: str) -> str:
    return "is_" + state.lower().replace(" ", "_")
