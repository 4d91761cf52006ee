"""Plugins, problems and graphs as JSON for programs. The keys are public: add, never rename."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nebula_lab.model import PluginInfo, Problem, SourceLocation
from nebula_lab.runtime.reasons import VersionReasons
from nebula_lab.views.dependency_graph import DependencyGraph


def plugin_document(plugin: PluginInfo, left_out: str | None) -> dict[str, Any]:
    """One plugin; `left_out` says why it can't be loaded, where it can't."""
    return {**plugin.model_dump(mode="json"), "left_out": left_out}


def problem_document(problem: Problem) -> dict[str, Any]:
    """One problem; for a cycle `chain` is the closed path."""
    return {
        "severity": problem.severity,
        "kind": str(problem.kind),
        "plugin_id": problem.plugin_id,
        "message": problem.message,
        **_place(problem.location),
        "cure": problem.cure,
        "chain": list(problem.chain),
        "declarations": [
            {"dependent": one.dependent, "dependency": one.dependency, **_place(one.location)}
            for one in problem.declarations
        ],
        "existing": problem.existing,
        "requested": problem.requested,
    }


def graph_document(graph: DependencyGraph, cycles: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Nodes, edges from who needs to what is needed, and cycles as closed paths."""
    return {
        "nodes": [
            {"id": node.plugin_id, "version": node.version or None, "state": node.state}
            for node in graph.nodes.values()
        ],
        "edges": [
            {
                "dependent": edge.dependent,
                "dependency": edge.dependency,
                "requirement": edge.requirement,
                "kind": edge.kind.name.lower(),
            }
            for edge in graph.edges
        ],
        "cycles": [list(cycle) for cycle in cycles],
    }


def reasons_document(reasons: VersionReasons) -> dict[str, Any]:
    """Why a plugin is there in its version; `pinned` and `locked` are null without one."""
    return {
        "plugin_id": reasons.plugin_id,
        "version": reasons.version,
        **_place(reasons.location),
        "pinned": reasons.pinned or None,
        "locked": reasons.locked or None,
        "asked_by": [
            {
                "dependent": one.dependent,
                "requirement": one.requirement,
                "optional": one.optional,
                **_place(one.location),
            }
            for one in reasons.asked_by
        ],
        "not_taken": [
            {"version": one.version, "reasons": list(one.reasons)} for one in reasons.not_taken
        ],
    }


def _place(location: SourceLocation | None) -> Mapping[str, Any]:
    return {
        "path": str(location.path) if location else None,
        "line": location.line if location else None,
    }
