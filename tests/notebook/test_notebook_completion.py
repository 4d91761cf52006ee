"""Completion of the magics, by IPython's own completer."""

from __future__ import annotations

import pytest

from nebula_lab.notebook.commands import COMMANDS


@pytest.fixture
def loaded(notebook):
    notebook.run("%plugin load counter")
    return notebook


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("%plugin ", [*COMMANDS, "help"]),
        ("%plugin re", ["reload", "resume"]),
        ("x = %plugin ca", ["call"]),
        ("%plugin load ", ["counter", "dependent"]),
        ("%plugin load counter d", ["dependent"]),
        ("%plugin call c", ["counter"]),
        ("%plugin call counter ", ["add", "echo", "boom"]),
        ("%plugin call counter e", ["echo"]),
        ("%plugin call counter add ", ["n=", "loud="]),
        ("%plugin call counter add n=1 ", ["loud="]),
        ("%plugin call counter add loud=", ["true", "false"]),
        ("%plugin call counter add loud=t", ["true"]),
        ("%plugin call --timeout=3 counter ad", ["add"]),
        ("%plugin ops counter b", ["boom"]),
        ("%plugin help co", ["console", "config", "counter"]),
        ("%plugin unload -", ["--cascade", "--help"]),
        ("%plugin unload --ca", ["--cascade"]),
        ("%plugin health d", ["dependent"]),
        ("%plugin doctor d", ["dependent"]),
        ("%%plugin co", ["counter"]),
        ("%%in ", ["counter", "dependent"]),
    ],
)
def test_a_magic_is_completed(loaded, line, offered):
    assert sorted(loaded.complete(line)) == sorted(offered)


@pytest.mark.parametrize(
    "line", ["%plugin call nothere ", "%plugin call counter nothere ", "%plugin call dependent "]
)
def test_nothing_of_ours_is_offered_for_what_is_not_known(loaded, line):
    assert not set(loaded.complete(line)) & {"add", "echo", "boom", "twice", "n=", "counter"}


def test_completion_loads_no_plugin(notebook):
    notebook.complete("%plugin call dependent ")
    states = {info.state.value for info in notebook.run("plugins.list_plugins()").value}
    assert states == {"Discovered"}


def test_other_lines_are_completed_as_before(loaded):
    loaded.run("plugin_count = 1")
    assert loaded.complete("plugin_cou") == ["plugin_count"]


def test_only_the_first_line_of_a_cell_is_a_cell_magic(loaded):
    assert "counter" not in loaded.complete("x = 1\n%%plugin co")


def test_a_front_end_is_told_which_part_to_replace(loaded):
    text = "first = 1\n%plugin call counter add lo"
    found = loaded.completions(text)
    assert [(one.text, text[one.start : one.end]) for one in found] == [("loud=", "lo")]
