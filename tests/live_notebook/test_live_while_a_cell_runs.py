"""Buttons work while a cell runs, and where nothing draws them there is a table."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("drive_subshell.py")
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What a front end with subshells saw of a kernel."""
    folder = tmp_path_factory.mktemp("subshell")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "one.py").write_text(
        "PLUGIN_METADATA = {'id': 'one', 'version': '1.0.0'}\ndef plugin_entry(): ...\n"
    )
    command = [sys.executable, PROGRAM, folder]
    # Its cell ends only once clicks have been answered: otherwise it ends with an error.
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_clicks_are_answered_while_a_cell_runs(seen):
    assert set(seen["took"]) == {"comm", "widget"}


def test_a_dashboard_has_a_table_for_where_there_are_no_widgets(seen):
    [bundle] = seen["shown"]["dashboard"]
    assert WIDGET in bundle
    assert bundle["text/html"].startswith("<table>")
    assert bundle["text/plain"].splitlines()[0] == "1 plugin"


def test_a_graph_has_a_picture_and_a_text_for_where_there_are_no_widgets(seen):
    [bundle] = seen["shown"]["graph"]
    assert WIDGET in bundle
    assert bundle["text/vnd.mermaid"].startswith("flowchart")
    assert bundle["text/plain"] == "one 1.0.0 [Discovered]"


def test_the_extension_goes_without_a_word(seen):
    assert seen["shown"]["end"] == []
