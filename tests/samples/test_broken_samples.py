"""The folder of broken samples, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nebula_lab.discovery import FileSystemDiscoverer
from nebula_lab.model.descriptor import SourceLocation
from nebula_lab.model.problem import ProblemKind
from nebula_lab.resolver import PluginRegistry

BROKEN = Path(__file__).parents[2] / "sample_plugins" / "broken"


@pytest.fixture(scope="module")
def found():
    return FileSystemDiscoverer(BROKEN).discover()


@pytest.fixture(scope="module")
def resolution(found):
    registry = PluginRegistry()
    for descriptor in found.descriptors:
        registry.register(descriptor)
    return registry.resolve_dependencies()


@pytest.fixture(scope="module")
def problems(resolution):
    return {problem.kind: problem for problem in resolution.problems}


def line_with(text: str, file: str) -> SourceLocation:
    """Where a text stands for the first time in one of the files."""
    lines = (BROKEN / file).read_text().splitlines()
    return SourceLocation(BROKEN / file, next(n for n, line in enumerate(lines, 1) if text in line))


def test_the_folder_has_one_problem_of_each_kind(resolution):
    assert sorted(problem.kind for problem in resolution.problems) == sorted(
        [
            ProblemKind.CYCLE,
            ProblemKind.VERSION_MISMATCH,
            ProblemKind.MISSING_DEPENDENCY,
            ProblemKind.BROKEN_DEPENDENCY,
        ]
    )


def test_the_cycle_is_told_as_a_closed_path(problems):
    assert problems[ProblemKind.CYCLE].chain == ("chicken", "egg", "chicken")


def test_each_edge_of_the_cycle_has_its_file_and_line(problems):
    places = [declaration.location for declaration in problems[ProblemKind.CYCLE].declarations]
    text = "[[dependencies]]"
    lines = [line_with(text, "chicken.toml"), line_with(text, "egg.toml")]
    # The entry begins with its header; the id is the line below.
    assert [(p.path, p.line) for p in places] == [(at.path, at.line + 1) for at in lines]


def test_the_conflict_names_what_is_there_and_who_wants_what(problems):
    text = str(problems[ProblemKind.VERSION_MISMATCH])
    for side in ("ledger", "storage >=1.0.0, <2.0.0", "version 2.1.0", "archive asks for ^2.0"):
        assert side in text


def test_the_conflict_shows_the_files_of_both_sides(problems):
    text = str(problems[ProblemKind.VERSION_MISMATCH])
    for file in ("ledger.toml:5", "archive.toml:5", "storage.toml:1"):
        assert file in text


def test_the_missing_plugin_is_named_where_it_is_asked_for(problems):
    problem = problems[ProblemKind.MISSING_DEPENDENCY]
    assert problem.chain == ("mailer", "missing postman")
    assert problem.location == line_with("postman", "mailer.toml")


def test_what_needs_a_plugin_that_is_left_out_says_why_all_the_way(problems):
    chain = problems[ProblemKind.BROKEN_DEPENDENCY].chain
    assert chain == ("newsletter", "mailer", "missing postman")


def test_the_syntax_error_has_its_line(found):
    [problem] = found.problems
    assert problem.location == line_with("make_plugin(", "typo.py")
    assert "never closed" in problem.message


def test_what_is_outside_the_broken_part_still_loads(resolution):
    assert {"storage", "archive"} <= set(resolution.load_order)
