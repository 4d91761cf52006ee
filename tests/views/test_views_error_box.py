"""Errors as boxes."""

from __future__ import annotations

import pytest

from nebula_lab.errors import (
    ExecutionFailedError,
    ExitReport,
    InvalidRequirementError,
    LoadFailedError,
    NotFoundError,
    PluginCrashedError,
    PluginError,
)
from nebula_lab.views import error_box

FAILED = ExecutionFailedError(
    "ZeroDivisionError: division by zero",
    plugin_id="calc",
    operation="divide",
    remote_traceback='Traceback:\n  File "calc.py", line 3\n    1 / 0',
)
CRASHED = PluginCrashedError(
    plugin_id="calc",
    operation="divide",
    report=ExitReport("killed by SIGSEGV", signal_name="SIGSEGV", stderr_tail=("oh", "no")),
)


def test_the_box_says_what_happened_and_shows_the_plugins_own_traceback():
    assert error_box(FAILED).text == (
        "ExecutionFailedError: calc.divide: ZeroDivisionError: division by zero\n"
        "\n"
        "The plugin's own traceback:\n"
        "  Traceback:\n"
        '    File "calc.py", line 3\n'
        "      1 / 0"
    )


def test_the_traceback_is_folded_in_html_and_said_once():
    html = error_box(FAILED).html
    assert "<details><summary>The plugin&#x27;s own traceback</summary>" in html
    assert html.count("1 / 0") == 1


def test_a_crash_ends_with_its_last_words():
    text = error_box(CRASHED).text
    assert text.startswith("PluginCrashedError: calc.divide: crashed: killed by SIGSEGV\n")
    assert text.endswith("Its last words on stderr:\n  oh\n  no")


@pytest.mark.parametrize(
    ("error", "summary"),
    [
        (NotFoundError("conter", known=["counter"]), "no plugin has the id 'conter'\n  Did you"),
        (
            LoadFailedError("no", plugin_id="a", path="a.py", line=3, hint="Mend it."),
            "a: no\n  in a.py:3\n  Mend it.",
        ),
        (InvalidRequirementError("bad", text="^x", position=1), "bad\n  ^x\n   ^"),
    ],
)
def test_the_box_has_place_and_hint(error, summary):
    assert summary in error_box(error).text


def test_the_box_names_the_line_that_called():
    box = error_box(FAILED, called_from="Cell In[3], line 2\n  divide()")
    assert box.text.endswith("Called from:\n  Cell In[3], line 2\n    divide()")


def test_notes_on_an_error_are_shown():
    error = PluginError("no", plugin_id="a")
    error.add_note("The old version 1.0.0 of a goes on serving.")
    box = error_box(error)
    assert "goes on serving" in box.text
    assert "<p>The old version 1.0.0 of a goes on serving.</p>" in box.html


def test_a_screen_reader_is_told_at_once():
    assert 'role="alert"' in error_box(FAILED).html
