"""docs/debugging.md shows what really happens."""

from __future__ import annotations

import builtins
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "debugging.md"
PLUGIN = """\
from nebula_lab.plugin import Plugin, operation

PLUGIN_API_VERSION = 1
PLUGIN_METADATA = {"id": "counter", "name": "Counter", "version": "1.0.0"}


class Counter(Plugin):
    sums = {}

    @operation
    def add(self, n: int = 1) -> None:
        return self.put("total", n)

    def put(self, key, n):
        self.sums[key] += n


def plugin_entry():
    return Counter()
"""


def test_the_page_shows_what_the_debugger_says(notebook, monkeypatch):
    path = notebook.plugins / "counter.py"
    path.write_text(PLUGIN)
    notebook.run("%plugin call counter add")
    shown = PAGE.read_text().split("```\n")[1].replace("/home/you/plugins", str(path.parent))
    command, *lines = shown.splitlines()
    typed = [line.removeprefix("counter> ") for line in lines if line.startswith("counter> ")]
    left = iter(typed)
    monkeypatch.setattr(builtins, "input", lambda prompt: next(left))
    expected = [line for line in lines if not line.startswith("counter> ")]
    assert notebook.run(command).stdout.splitlines() == expected
