"""Problems: one shape for what discovery and the resolver have to say."""

from __future__ import annotations

from pathlib import Path

import pytest

from nebula_lab.errors import DiscoveryError, MetadataLoadError, PluginError
from nebula_lab.model.descriptor import SourceLocation
from nebula_lab.model.problem import Problem, ProblemKind

PLACE = SourceLocation(Path("/plugins/a.toml"), 3)


def test_a_problem_reads_like_the_error_that_it_becomes():
    problem = Problem("metadata", "has no version", "a", PLACE, 'Add version = "1.0.0".')
    assert str(problem) == str(problem.to_error())
    assert str(problem).splitlines() == [
        "a: has no version",
        "  in /plugins/a.toml:3",
        '  Add version = "1.0.0".',
    ]


def test_a_problem_without_a_plugin_or_a_place_is_its_message():
    assert str(Problem("discovery", "nothing to read")) == "nothing to read"


def test_an_error_survives_the_way_through_a_problem():
    error = MetadataLoadError(
        "has no version", plugin_id="a", path=PLACE.path, line=3, hint="Add one."
    )
    again = Problem.from_error(error, "metadata").to_error()
    assert type(again) is MetadataLoadError
    assert (again.message, again.plugin_id, again.path, again.line, again.hint) == (
        error.message,
        error.plugin_id,
        error.path,
        error.line,
        error.hint,
    )


def test_an_error_without_a_place_gives_a_problem_without_one():
    assert Problem.from_error(PluginError("odd"), "metadata").location is None


@pytest.mark.parametrize("kind", [*ProblemKind, "discovery", "metadata", "anything else"])
def test_every_kind_becomes_a_plugin_error(kind):
    problem = Problem(kind, "is odd", "a", PLACE, chain=("a", "b", "a"))
    assert isinstance(problem.to_error(), PluginError)
    assert "is odd" in str(problem.to_error())


def test_a_place_that_can_not_be_searched_becomes_a_discovery_error():
    assert type(Problem("discovery", "is not there").to_error()) is DiscoveryError
