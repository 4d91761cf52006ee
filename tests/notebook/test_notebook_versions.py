"""`%plugin history` and `%plugin rollback`, and what is said of a reload."""

from __future__ import annotations

import pytest

from nebula_lab.current import current_manager


@pytest.fixture
def edited(notebook, wait_until):
    """A notebook whose counter has been reloaded as version 1.1.0 with one more operation."""
    notebook.run("%plugin call counter add n=5")
    wait_until(lambda: current_manager().plugin_history("counter"), "the first is noted")
    path = notebook.plugins / "counter.py"
    text = path.read_text().replace('"1.0.0"', '"1.1.0"')
    more = "    @operation\n    def down(self) -> int:\n        return 0\n\n    def save_state"
    path.write_text(text.replace("    def save_state", more))
    with current_manager().hold_watch():
        notebook.reload = notebook.run("%plugin reload counter")
    wait_until(lambda: len(current_manager().plugin_history("counter")) == 2, "both are noted")
    return notebook


def test_a_reload_says_what_is_different(edited):
    assert edited.reload.stdout == "counter 1.1.0 is Active.\n  new: down\n"


def test_the_history_says_which_version_serves(edited):
    lines = edited.run("%plugin history counter").shown.splitlines()
    assert lines[0] == "Versions of counter"
    assert [line.split()[0] for line in lines[3:]] == ["1.1.0", "1.0.0"]
    assert lines[3].endswith("serves")


def test_a_rollback_says_what_serves_and_that_the_file_stays(edited):
    said = edited.run("%plugin rollback counter").stdout
    assert said.startswith("counter 1.0.0 is Active.\n  gone: down\ncounter.py has not been")
    assert edited.run("%plugin call counter add n=1").value == 6


def test_versions_are_completed(edited):
    assert edited.complete("%plugin rollback counter ") == ["1.1.0", "1.0.0"]


def test_a_version_that_is_not_there_is_an_error_with_those_that_are(edited):
    error = edited.run("%plugin rollback counter 9.9.9").error
    assert "no version 9.9.9" in str(error) and "1.0.0" in str(error)
