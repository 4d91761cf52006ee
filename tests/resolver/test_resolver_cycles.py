"""Cycles: every component, one shortest path, the declaration of each edge."""

from __future__ import annotations

import pytest

from nebula_lab.errors import DependencyCycleError
from nebula_lab.model.problem import ProblemKind

# plugins | closed paths that are reported | what still loads
CYCLES = [
    (["a: a"], [("a", "a")], []),
    (["a: a ^2"], [("a", "a")], []),
    (["a: b", "b: a"], [("a", "b", "a")], []),
    (["a: b", "b: a", "free"], [("a", "b", "a")], ["free"]),
    (["c: a", "a: b", "b: c"], [("a", "b", "c", "a")], []),
    (["a: b", "b: a", "x: y", "y: x"], [("a", "b", "a"), ("x", "y", "x")], []),
    (["a: b", "b: c", "c: d; b", "d: a"], [("b", "c", "b")], []),
    (["a: b; base", "b: a", "base"], [("a", "b", "a")], ["base"]),
    (["a: b ^2", "b: a"], [("a", "b", "a")], []),
]


@pytest.mark.parametrize(("plugins", "paths", "loaded"), CYCLES)
def test_each_component_is_reported_with_a_shortest_path(resolve, plugins, paths, loaded):
    resolution = resolve(*plugins)
    found = [problem.chain for problem in resolution.problems if problem.kind == "cycle"]
    assert found == paths
    assert list(resolution.load_order) == loaded


def test_the_report_names_file_and_line_of_each_edge(resolve):
    (problem,) = resolve("a: x; b", "b: a", "x").problems
    assert problem.kind == ProblemKind.CYCLE
    assert str(problem).splitlines() == [
        "a: depends on itself: a → b → a",
        "  in /plugins/a.toml:11",
        "  a needs b (/plugins/a.toml:11)",
        "  b needs a (/plugins/b.toml:10)",
        "  Remove one of these dependencies, or make one optional.",
    ]


def test_a_larger_component_says_how_large_it_is(resolve):
    resolution = resolve("a: b", "b: c", "c: d; b", "d: a")
    assert "a shortest path among 4 plugins" in resolution.problems[0].message


def test_the_rest_of_a_component_is_left_out_with_a_chain_to_the_cycle(resolve):
    resolution = resolve("a: b", "b: c", "c: d; b", "d: a")
    assert resolution.excluded["d"].chain == ("d", "a", "b", "c", "b")


def test_what_needs_a_cycle_is_left_out_with_the_way_into_it(resolve):
    resolution = resolve("a: b", "b: a", "top: mid", "mid: b")
    assert resolution.excluded["top"].chain == ("top", "mid", "b", "a", "b")


def test_a_cycle_becomes_a_cycle_error(resolve):
    (problem,) = resolve("a: b", "b: a").problems
    error = problem.to_error()
    assert isinstance(error, DependencyCycleError)
    assert error.cycle == ("a", "b", "a")
    assert "b needs a (/plugins/b.toml:10)" in str(error)


# plugins | load order | the edges that are dropped
OPTIONAL = [
    (["a: b?", "b: a"], ["a", "b"], [("a", "b")]),
    (["a: b", "b: a?"], ["b", "a"], [("b", "a")]),
    (["a: b?", "b: a?"], ["a", "b"], [("a", "b")]),
    (["a: b?", "b: c?", "c: a?"], ["a", "c", "b"], [("a", "b")]),
    (["a: b?", "b: c", "c: a?", "d: a"], ["a", "c", "b", "d"], [("a", "b")]),
    (["a: a?"], ["a"], [("a", "a")]),
    (["a: b?", "b: a", "free: a?"], ["a", "b", "free"], [("a", "b")]),
]


@pytest.mark.parametrize(("plugins", "order", "dropped"), OPTIONAL)
def test_an_optional_edge_gives_way_when_that_breaks_the_cycle(resolve, plugins, order, dropped):
    resolution = resolve(*plugins)
    assert list(resolution.load_order) == order
    assert [note.chain for note in resolution.notes] == dropped
    assert resolution.problems == ()


def test_the_note_shows_the_cycle_that_was_opened(resolve):
    (note,) = resolve("a: b? ^1", "b: a").notes
    assert str(note).splitlines() == [
        "a: goes without the optional b ^1, since it closes the cycle a → b → a",
        "  in /plugins/a.toml:10",
    ]


def test_an_optional_edge_is_kept_when_the_cycle_is_broken_by_the_loss_of_a_plugin(resolve):
    resolution = resolve("a: b?", "b: a; gone")
    assert resolution.load_order == ("a",)
    assert "which is left out itself" in resolution.notes[0].message


LEFT_OUT = [
    (["a: gone? ^1"], "which is not here"),
    (["a: b? ^2", "b"], "which is here in version 1.0.0"),
    (["a: b?", "b: gone"], "which is left out itself"),
    (["a: a?"], "which is itself"),
]


@pytest.mark.parametrize(("plugins", "reason"), LEFT_OUT)
def test_an_optional_dependency_that_can_not_be_had_is_a_note(resolve, plugins, reason):
    resolution = resolve(*plugins)
    (note,) = resolution.notes
    assert "a" in resolution.load_order
    assert note.message.endswith(reason)
    assert (note.severity, note.kind) == ("note", "optional-left-out")


def test_a_plugin_that_is_left_out_has_no_notes(resolve):
    assert resolve("a: gone; maybe?").notes == ()
