"""The dependency graph as Mermaid and as a tree."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import pytest

from nebula_lab.model import PluginDescriptor, PluginState
from nebula_lab.resolver.graph import declared_graph
from nebula_lab.views import graph_view
from nebula_lab.views.dependency_graph import EdgeKind, read_graph
from nebula_lab.views.mermaid import quoted


def plugin(plugin_id, *dependencies, version="1.0.0"):
    return PluginDescriptor.model_validate(
        {
            "id": plugin_id,
            "version": version,
            "path": Path("/plugins") / f"{plugin_id}.py",
            "dependencies": list(dependencies),
        }
    )


def view(*plugins, states=None):
    found = {one.id: one for one in plugins}
    states = dict.fromkeys(found, PluginState.LOADED) if states is None else states
    return graph_view(declared_graph(found), states)


def mermaid(*plugins, **options):
    return view(*plugins, **options).extra_mime["text/vnd.mermaid"].splitlines()


def optional(plugin_id):
    return {"plugin_id": plugin_id, "optional": True}


def test_a_graph_is_mermaid_with_a_text_twin_and_no_html():
    bundle = view(plugin("a"))._repr_mimebundle_()
    assert sorted(bundle) == ["text/plain", "text/vnd.mermaid"]


def test_mermaid_numbers_its_nodes_since_an_id_may_be_a_word_of_mermaids():
    assert mermaid(plugin("end"))[1] == '    n0["end<br/>1.0.0 Loaded"]:::is_loaded'


def test_a_dependency_is_an_arrow_with_its_requirement():
    assert '    n0 -->|"#62;=0.5"| n1' in mermaid(plugin("a", "b >=0.5"), plugin("b"))


def test_an_optional_dependency_is_a_dashed_arrow():
    assert '    n0 -.->|"#42;, optional"| n1' in mermaid(plugin("a", optional("b")), plugin("b"))


def test_a_cycle_is_thick_and_red():
    lines = mermaid(plugin("a", "b"), plugin("b", "a"), plugin("c", "a"))
    assert '    n0 ==>|"#42;, cycle"| n1' in lines
    assert "    linkStyle 0 stroke:#d32f2f,stroke-width:4px" in lines
    assert '    n2 -->|"#42;"| n0' in lines


def test_a_plugin_that_needs_itself_is_a_cycle():
    assert '    n0 ==>|"#42;, cycle"| n0' in mermaid(plugin("a", "a"))


def test_an_optional_dependency_closes_no_cycle():
    lines = mermaid(plugin("a", optional("b")), plugin("b", "a"))
    assert not any("==>" in line for line in lines)


def test_a_missing_plugin_is_marked():
    lines = mermaid(plugin("a", "gone"))
    assert '    n1["gone<br/>missing"]:::is_missing' in lines
    assert any(line.startswith("    classDef is_missing") for line in lines)


def test_a_dependency_in_another_version_is_marked():
    lines = mermaid(plugin("a", "b >=2"), plugin("b"))
    assert '    n0 -->|"#62;=2, another version is here"| n1' in lines


@pytest.mark.parametrize("state", list(PluginState))
def test_every_state_has_a_colour_and_a_word(state):
    lines = mermaid(plugin("a"), states={"a": state})
    name = f"is_{state.value.lower()}"
    assert f'    n0["a<br/>1.0.0 {state.value}"]:::{name}' in lines
    assert any(line.startswith(f"    classDef {name} fill:#") for line in lines)


def test_a_plugin_that_can_not_be_loaded_is_left_out():
    assert mermaid(plugin("a"), states={})[1] == '    n0["a<br/>1.0.0 left out"]:::is_left_out'


@pytest.mark.parametrize(
    "hostile",
    ['"]; click n0 "javascript:alert(1)"', "`md`", "a#quot;b", "<img onerror=x>", "%%{init}%%"],
)
def test_a_label_holds_no_character_that_means_something_to_mermaid(hostile):
    label = quoted(hostile)[1:-1]
    assert not set(label) & set('"`<>[]{}|%&\\/:')


def test_a_graph_larger_than_mermaid_draws_is_a_tree_alone():
    plugins = [plugin("hub"), *(plugin(f"p{n}", "hub") for n in range(501))]
    assert view(*plugins).extra_mime == {}


def test_the_tree_shows_what_each_plugin_needs():
    text = view(plugin("app", "base >=1.0", optional("log")), plugin("base"), plugin("log")).text
    assert text.splitlines() == [
        "app 1.0.0 [Loaded]",
        "└─ base 1.0.0 [Loaded]  needs >=1.0",
        "└─ log 1.0.0 [Loaded]  needs *, optional",
    ]


def test_the_tree_writes_what_is_shared_once():
    text = view(plugin("a", "m"), plugin("b", "m"), plugin("m", "z"), plugin("z")).text
    assert text.splitlines()[3:] == ["b 1.0.0 [Loaded]", "└─ m 1.0.0 [Loaded]  needs * (see above)"]


def test_the_tree_ends_at_a_cycle():
    text = view(plugin("a", "b"), plugin("b", "a")).text
    assert text.splitlines() == [
        "a 1.0.0 [Loaded]",
        "└─ b 1.0.0 [Loaded]  needs *, cycle",
        "   └─ a 1.0.0 [Loaded]  needs *, cycle (see above)",
    ]


def test_a_chain_of_thousands_is_cut_and_does_not_recurse():
    chain = [plugin(f"p{n}", f"p{n + 1}") for n in range(3000)]
    lines = view(*chain).text.splitlines()
    assert len(lines) == 1001
    assert lines[-1] == "… the rest of 3,001 plugins"


def test_an_empty_graph_says_so():
    assert graph_view(nx.DiGraph(), {}).text == "No plugins."


def test_edges_are_read_in_the_order_of_their_ends():
    found = {one.id: one for one in (plugin("b", "a"), plugin("a", "b"), plugin("c", "a"))}
    read = read_graph(declared_graph(found), {})
    assert [(edge.dependent, edge.dependency, edge.kind) for edge in read.edges] == [
        ("a", "b", EdgeKind.CYCLE),
        ("b", "a", EdgeKind.CYCLE),
        ("c", "a", EdgeKind.PLAIN),
    ]
