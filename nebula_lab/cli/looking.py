"""What `list`, `graph` and `check` find out about plugins without calling them."""

from __future__ import annotations

from collections.abc import Sequence

from nebula_lab import PluginManager, PluginState
from nebula_lab.cli.documents import graph_document
from nebula_lab.cli.dot import dot_digraph
from nebula_lab.cli.sources import source_problems
from nebula_lab.cli.values import to_json
from nebula_lab.cli.wide_rights import wide_rights
from nebula_lab.errors import PluginError
from nebula_lab.model import PluginInfo, Problem, ProblemKind
from nebula_lab.views import graph_view
from nebula_lab.views.dependency_graph import read_graph
from nebula_lab.views.mermaid import mermaid_flowchart

# Of a plugin that is tied to a cycle, but not on the shortest path that is told of.
_UNTOLD = "it depends on itself by way of others; `nebula-lab check` shows the cycle"


def left_out(plugins: PluginManager) -> dict[str, str]:
    """Why each plugin that can't be loaded can't, by id."""
    reasons = dict.fromkeys(set(plugins) - set(plugins.load_order), _UNTOLD)
    for problem in reversed(plugins.problems):
        if problem.severity == "error":
            # A cycle is told of once, for all that are on it.
            for plugin_id in (problem.plugin_id or "", *_on_cycle(problem)):
                if plugin_id in reasons:
                    reasons[plugin_id] = problem.message
    return reasons


def _on_cycle(problem: Problem) -> tuple[str, ...]:
    return problem.chain if problem.kind == ProblemKind.CYCLE else ()


def load_all(plugins: PluginManager) -> bool:
    """Load every plugin that can be; whether all came up. What failed is in its `PluginInfo`."""
    well = True
    for plugin_id in plugins.load_order:
        try:
            plugins.load_plugin(plugin_id)
        except PluginError:
            well = False
    return well


def with_reasons(found: Sequence[PluginInfo], reasons: dict[str, str]) -> list[PluginInfo]:
    """The plugins for a table, where the reason that one was left out stands for its failure."""
    return [
        info.model_copy(update={"failure": f"left out: {reasons[info.id]}"})
        if info.id in reasons
        else info
        for info in found
    ]


def all_problems(plugins: PluginManager) -> list[Problem]:
    """What discovery and resolution found, sources that do not compile, and wide rights."""
    known = plugins.problems
    descriptors = [plugins.descriptor(plugin_id) for plugin_id in plugins]
    sources = source_problems(descriptors, known)
    return [*known, *sources, *wide_rights(descriptors, plugins.config)]


def draw(plugins: PluginManager, form: str) -> str | None:
    """The graph as `mermaid`, `text`, `dot` or `json`; None if it is too large for Mermaid."""
    states = _states(plugins)
    if form == "text":
        return graph_view(plugins.graph, states).text
    graph = read_graph(plugins.graph, states)
    if form == "mermaid":
        return mermaid_flowchart(graph)
    if form == "dot":
        return dot_digraph(graph)
    cycles = [problem.chain for problem in plugins.problems if problem.kind == ProblemKind.CYCLE]
    return to_json(graph_document(graph, cycles), indent=2)


def _states(plugins: PluginManager) -> dict[str, PluginState]:
    """Where each plugin is in its life; one that is left out is in none."""
    usable = set(plugins.load_order)
    return {info.id: info.state for info in plugins.list_plugins() if info.id in usable}
