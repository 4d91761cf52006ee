"""What is left of a notebook that was run by a program and exported as HTML."""

from __future__ import annotations

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from nebula_lab.notebook.live_display import runs_by_itself

EXPORT = Path(__file__).with_name("export_notebook.py")
CELLS = {
    "setup": "%load_ext nebula_lab",
    "dashboard": "%plugin",
    "graph": "%plugin graph",
    "list": "plugins.list_plugins()",
    "call": "plugins['one'].add(n=41)",
    "metrics": "plugins.metrics()",
    "problems": "plugins.problems",
    "error": "%plugin call one boom",
    "raised": "plugins['one'].boom()",
}
PLUGIN = """
from nebula_lab.plugin import Plugin, operation
PLUGIN_METADATA = {"id": "one", "version": "1.0.0"}
class One(Plugin):
    @operation
    def add(self, n: int) -> int:
        return n + 1
    @operation
    def boom(self):
        raise ValueError("no more")
def plugin_entry():
    return One()
"""


class Outputs(HTMLParser):
    """The texts of each cell's outputs, as a reader without scripts has them."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag, attrs):
        classes = (dict(attrs).get("class") or "").split()
        if "jp-Cell" in classes:
            self.texts.append("")
        if "jp-Cell-outputWrapper" in classes:
            self._inside = "outputs"
        elif "jp-Cell-inputWrapper" in classes or tag in ("script", "style"):
            self._inside = ""

    def handle_data(self, data):
        if self._inside and self.texts:
            self.texts[-1] += data


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Path:
    """The notebook's file, with the export beside it."""
    folder = tmp_path_factory.mktemp("export")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "one.py").write_text(PLUGIN)
    (folder / "plugins" / "broken.py").write_text("def plugin_entry(:\n")
    path = folder / "shown.ipynb"
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS.values()]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    done = subprocess.run(
        [sys.executable, EXPORT, path], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return path


@pytest.fixture(scope="module")
def seen(exported) -> dict[str, str]:
    """What a reader sees below each cell."""
    outputs = Outputs()
    outputs.feed(exported.with_suffix(".html").read_text())
    return dict(zip(CELLS, outputs.texts, strict=True))


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("dashboard", ["1 plugin", "one", "1.0.0", "Discovered"]),
        ("graph", ["one 1.0.0 [Discovered]"]),
        ("list", ["1 plugin", "Discovered"]),
        ("call", ["42"]),
        ("metrics", ["1 call, no failures", "one"]),
        ("problems", ["1 problem", "broken.py"]),
        ("error", ["ExecutionFailedError", "ValueError: no more"]),
        ("raised", ["ExecutionFailedError", "ValueError: no more"]),
    ],
)
def test_what_was_shown_is_on_the_page(seen, cell, words):
    assert [word for word in words if word not in seen[cell]] == []


def test_a_notebook_that_a_program_runs_keeps_no_widget(exported):
    assert "widgets" not in nbformat.read(exported, as_version=4).metadata
    assert "widget-view" not in json.dumps(nbformat.read(exported, as_version=4))


@pytest.mark.parametrize(
    ("request_content", "server", "expected"),
    [
        ({"allow_stdin": False}, "", True),
        ({"allow_stdin": True}, "", False),
        ({}, "", False),
        ({"allow_stdin": False}, "voila/0.5.11", False),
    ],
)
def test_a_program_says_that_nobody_can_be_asked(monkeypatch, request_content, server, expected):
    monkeypatch.setenv("SERVER_SOFTWARE", server)

    class Shell:
        def get_parent(self):
            return {"content": request_content}

    assert runs_by_itself(Shell()) is expected
