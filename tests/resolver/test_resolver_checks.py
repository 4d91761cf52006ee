"""What is wrong with single plugins, and how it is said."""

from __future__ import annotations

import pytest

from nebula_lab._version import __version__
from nebula_lab.errors import DependencyError, VersionConflictError
from nebula_lab.model.problem import ProblemKind
from nebula_lab.plugin import PLUGIN_API_VERSION


def _only_problem(resolution):
    (problem,) = resolution.problems
    return problem


def test_a_missing_dependency_is_named_with_who_asks_and_where(resolve):
    problem = _only_problem(resolve("a: b; logger ^0.5", "b"))
    assert problem.kind == ProblemKind.MISSING_DEPENDENCY
    assert str(problem).splitlines() == [
        "a: needs logger ^0.5, which is missing",
        "  in /plugins/a.toml:11",
        "  Add a plugin logger, or make the dependency optional.",
    ]


def test_a_missing_dependency_names_the_nearest_id(resolve):
    problem = _only_problem(resolve("a: base_resorce", "base_resource"))
    assert problem.cure == "Did you mean base_resource?"


def test_every_missing_dependency_is_reported(resolve):
    resolution = resolve("a: x; y")
    assert [problem.chain for problem in resolution.problems] == [
        ("a", "missing x"),
        ("a", "missing y"),
    ]


def test_a_version_that_does_not_suit_names_both_sides(resolve):
    problem = _only_problem(resolve("a: base ^2.0", "b: base ^1.0", "base 1.2.3"))
    assert problem.kind == ProblemKind.VERSION_MISMATCH
    assert str(problem).splitlines() == [
        "a: needs base ^2.0, but version 1.2.3 is here (/plugins/base.toml:1)",
        "  in /plugins/a.toml:10",
        "  A version of base that is >=2.0.0, <3.0.0 would do; "
        "b asks for ^1.0 (/plugins/b.toml:10).",
    ]
    assert (problem.existing, problem.requested) == ("base 1.2.3", "base ^2.0")


def test_only_a_few_of_many_others_are_named(resolve):
    others = [f"other{n}: base ^1.0" for n in range(9)]
    problem = _only_problem(resolve("a: base ^2.0", "base", *others))
    assert problem.cure.count("asks for") == 3
    assert problem.cure.endswith("6 more ask for it.")


def test_a_conflict_leaves_the_other_side_alone(resolve):
    resolution = resolve("a: base ^2.0", "b: base ^1.0", "base 1.2.3")
    assert resolution.load_order == ("base", "b")


def test_a_pre_release_does_not_suit_a_plain_requirement(resolve):
    assert set(resolve("a: b ^1.0", "b 1.1.0-rc.1").excluded) == {"a"}
    assert resolve("a: b ^1.1.0-beta", "b 1.1.0-rc.1").excluded == {}


BOUNDS = [
    ({}, True),
    ({"min_nebula_version": "0.2.0"}, True),
    ({"max_nebula_version": "0.2.0"}, True),
    ({"min_nebula_version": "0.2.0", "max_nebula_version": "1.0.0"}, True),
    ({"min_nebula_version": "0.2.1"}, False),
    ({"max_nebula_version": "0.1.9"}, False),
    ({"min_nebula_version": "0.2.0-rc.1"}, True),
    ({"max_nebula_version": "0.2.0-rc.1"}, False),
]


@pytest.mark.parametrize(("bounds", "fits"), BOUNDS)
def test_nebula_has_to_be_within_the_bounds_of_a_plugin(resolve, descriptor, bounds, fits):
    resolution = resolve(descriptor("a", metadata=bounds), nebula_version="0.2.0")
    assert ("a" in resolution.load_order) is fits


def test_a_bound_on_nebula_says_which_version_is_there(resolve, descriptor):
    plugin = descriptor("a", metadata={"min_nebula_version": "9.0.0"})
    problem = _only_problem(resolve(plugin, nebula_version="0.2.0"))
    assert problem.kind == ProblemKind.NEBULA_VERSION
    assert str(problem).splitlines() == [
        "a: needs nebula_lab >=9.0.0, but this is 0.2.0",
        "  in /plugins/a.toml:1",
        "  Upgrade nebula_lab, or take a version of a that is made for 0.2.0.",
    ]


def test_bounds_are_held_against_this_nebula_by_default(resolve, descriptor):
    this = {"min_nebula_version": __version__, "max_nebula_version": __version__}
    assert resolve(descriptor("a", metadata=this)).load_order == ("a",)


@pytest.mark.parametrize(
    ("version", "fits"), [(None, True), (PLUGIN_API_VERSION, True), (0, False), (2, False)]
)
def test_a_plugin_has_to_be_written_for_this_api(resolve, descriptor, version, fits):
    resolution = resolve(descriptor("a", runtime={"api_version": version}))
    assert ("a" in resolution.load_order) is fits


def test_another_api_version_is_said_with_both_versions(resolve, descriptor):
    problem = _only_problem(resolve(descriptor("a", runtime={"api_version": 2}), api_version=1))
    assert problem.kind == ProblemKind.API_VERSION
    assert "written for version 2 of the plugin API, but this has version 1" in str(problem)


def test_a_plugin_that_needs_a_broken_one_is_left_out_with_the_chain(resolve):
    resolution = resolve("a: b", "b: c", "d")
    cause, knock_on = resolution.problems
    assert cause is resolution.excluded["b"]
    assert str(knock_on).splitlines() == [
        "a: needs b, which is left out: a → b → missing c",
        "  in /plugins/a.toml:10",
    ]
    assert resolution.load_order == ("d",)


CHAINS = [
    (["a: b", "b: c", "c: gone"], ("a", "b", "c", "missing gone")),
    (["a: b", "b: c ^2", "c"], ("a", "b", "c 1.0.0 (not ^2)")),
    (["a: b", "b: c", "c: b"], ("a", "b", "c", "b")),
    (["a: b", "b: b"], ("a", "b", "b")),
    (["a: far; near", "far: x", "x: gone", "near: lost"], ("a", "near", "missing lost")),
]


@pytest.mark.parametrize(("plugins", "chain"), CHAINS)
def test_the_chain_is_a_shortest_way_to_a_cause(resolve, plugins, chain):
    assert resolve(*plugins).excluded["a"].chain == chain


def test_a_long_chain_is_cut_in_the_middle(resolve):
    plugins = [f"p{n:02}: p{n + 1:02}" for n in range(30)]
    chain = resolve(*plugins).excluded["p00"].chain
    assert chain == ("p00", "p01", "p02", "p03", "p04", "p05", "…", "p29", "missing p30")


def test_a_problem_becomes_the_error_that_it_stands_for(resolve):
    error = _only_problem(resolve("a: gone")).to_error()
    assert type(error) is DependencyError
    assert (error.plugin_id, str(error.location)) == ("a", "/plugins/a.toml:10")


def test_a_mismatch_becomes_a_version_conflict(resolve):
    error = _only_problem(resolve("a: b ^2", "b")).to_error()
    assert type(error) is VersionConflictError
    assert (error.existing, error.requested) == ("b 1.0.0", "b ^2")
    assert "needs b ^2, but version 1.0.0 is here" in str(error)


def test_a_plugin_that_is_broken_twice_has_both_problems(resolve, descriptor):
    resolution = resolve(descriptor("a: gone", runtime={"api_version": 7}))
    assert [p.kind for p in resolution.problems] == ["api-version", "missing-dependency"]
    assert resolution.excluded["a"].kind == "api-version"
