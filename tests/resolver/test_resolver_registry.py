"""The registry: one version an id, and a graph of what is declared."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import pytest

from nebula_lab.errors import NotFoundError, VersionConflictError
from nebula_lab.model.requirement import VersionReq
from nebula_lab.resolver import PluginRegistry


def test_another_version_of_a_plugin_is_a_conflict(registry, descriptor):
    plugins = registry("a 1.0.0")
    with pytest.raises(VersionConflictError) as caught:
        plugins.register(descriptor("a 2.0.0"))
    assert (str(caught.value.existing), str(caught.value.requested)) == ("1.0.0", "2.0.0")
    assert "Version 1.0.0 is from /plugins/a.toml:1" in str(caught.value)


def test_a_conflict_changes_nothing(registry, descriptor):
    plugins = registry("a 1.0.0: b", "b")
    before, graph, known = plugins.resolve_dependencies(), plugins.graph, dict(plugins.plugins)
    with pytest.raises(VersionConflictError):
        plugins.register(descriptor("a 2.0.0: gone"))
    assert plugins.resolve_dependencies() is before
    assert plugins.graph is graph
    assert plugins.plugins == known


def test_versions_that_differ_in_their_build_alone_are_in_conflict(registry, descriptor):
    with pytest.raises(VersionConflictError):
        registry("a 1.0.0+one", descriptor("a 1.0.0+two"))


def test_the_same_version_again_takes_the_place_of_the_first(registry):
    plugins = registry("a: b", "b", "a: c", "c")
    assert plugins.resolve_dependencies().dependencies["a"] == ("c",)


def test_the_order_follows_a_registration(registry, descriptor):
    plugins = registry("a: b")
    assert plugins.load_order == []
    plugins.register(descriptor("b"))
    assert plugins.load_order == ["b", "a"]


def test_the_load_order_is_a_list_of_its_own(registry):
    plugins = registry("a")
    plugins.load_order.clear()
    assert plugins.load_order == ["a"]


def test_a_plugin_can_be_replaced_by_another_version(registry, descriptor):
    plugins = registry("a: b ^2", "b 1.0.0")
    plugins.replace(descriptor("b 2.0.0"))
    assert plugins.load_order == ["b", "a"]


def test_a_removed_plugin_is_missed(registry):
    plugins = registry("a: b", "b")
    plugins.remove("b")
    assert plugins.resolve_dependencies().excluded["a"].kind == "missing-dependency"


def test_removing_an_unknown_plugin_names_the_nearest(registry):
    with pytest.raises(NotFoundError, match="Did you mean counter"):
        registry("counter").remove("countr")


def test_a_copy_can_be_changed_without_the_original(registry, descriptor):
    plugins = registry("a")
    twin = plugins.copy()
    twin.register(descriptor("b"))
    assert (plugins.load_order, twin.load_order) == (["a"], ["a", "b"])


def test_the_plugins_are_read_only(registry):
    with pytest.raises(TypeError):
        registry("a").plugins["b"] = None


def test_the_graph_holds_what_is_declared(registry):
    graph = registry("a: b ^1.0; gone?", "b").graph
    assert isinstance(graph, nx.DiGraph)
    assert set(graph.edges) == {("a", "b"), ("a", "gone")}
    assert graph.nodes["a"]["descriptor"].id == "a"
    assert "descriptor" not in graph.nodes["gone"]
    edge = graph.edges["a", "b"]
    assert (edge["requirement"], edge["optional"]) == (VersionReq.parse("^1.0"), False)
    assert (edge["declared_in"].path, edge["declared_in"].line) == (Path("/plugins/a.toml"), 10)


@pytest.mark.parametrize("needs", ["b?; b", "b; b?"])
def test_a_dependency_declared_twice_is_one_required_edge(registry, needs):
    assert registry(f"a: {needs}", "b").graph.edges["a", "b"]["optional"] is False


def test_the_graph_can_not_be_changed(registry):
    with pytest.raises(nx.NetworkXError):
        registry("a").graph.add_node("b")


def test_a_new_registry_is_empty():
    assert PluginRegistry().load_order == []
