"""The graph of plugins and dependencies as networkx knows it, for views and for users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.resolver.reports import declared_at

if TYPE_CHECKING:
    import networkx as nx

    Graph = nx.DiGraph[str]


def declared_graph(plugins: Mapping[str, PluginDescriptor]) -> Graph:
    """What is declared, whether it can be had or not; the graph is frozen.

    An edge goes from a dependent to its dependency and carries `requirement`, `optional` and
    `declared_in`. A node that is known has its `descriptor`; one that is missing has none. A
    dependency that is declared twice is one edge, which is required if one of them is.
    """
    import networkx as nx  # a tenth of a second, which only those who look at the graph pay

    graph: Graph = nx.DiGraph()
    for plugin_id in sorted(plugins):
        graph.add_node(plugin_id, descriptor=plugins[plugin_id])
    for plugin_id in sorted(plugins):
        plugin = plugins[plugin_id]
        # Required ones last, so that they overwrite optional ones.
        for entry in sorted(plugin.dependencies, key=lambda entry: not entry.optional):
            graph.add_edge(
                plugin_id,
                entry.plugin_id,
                requirement=entry.version_req,
                optional=entry.optional,
                declared_in=declared_at(plugin, entry),
            )
    nx.freeze(graph)
    return graph
