"""What `%load_ext nebula_lab` imports, and what it leaves for when it is needed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# In a process that has what a kernel has imported by itself.
START = """
import json, sys
import ipykernel.ipkernel, ipykernel.kernelapp, ipykernel.zmqshell
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before = set(sys.modules)
{prepare}
shell.run_line_magic("load_ext", "nebula_lab")
import gc
print(json.dumps({{"imported": sorted(set(sys.modules) - before), "collects": gc.isenabled()}}))
"""
LATER = {
    "watchdog": "to watch files, from when the first plugin has been loaded",
    "nebula_lab.watch.watcher": "to watch files too",
    "networkx": "a tenth of a second, for whoever looks at the graph or has a cycle",
    "psutil": "for metrics",
    "yaml": "for a document that is YAML",
    "tomllib": "for a document that is TOML",
    "nebula_lab.model.json_document": "for a document that is JSON",
    "nebula_lab.sandbox.in_process": "for sandbox None",
    "nebula_lab.agent.server": "all of an agent, for sandbox None",
    "nebula_lab.aio": "for those who await",
    "nebula_lab.cli": "another face",
    "click": "for the other face",
    "rich.console": "for the other face",
    "nebula_lab.live": "for views that move",
    "ipywidgets": "for the same, as widgets",
    "numpy": "for arrays",
    "pandas": "for frames",
}
ONE_PLUGIN = """
from nebula_lab.plugin import Plugin, operation
PLUGIN_METADATA = {"id": "one", "version": "1.0.0"}
class One(Plugin):
    @operation
    def one(self) -> int:
        return 1
def plugin_entry():
    return One()
"""


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Starts in a folder with a plugin; what it imported, and whether the collector runs."""
    folder = tmp_path_factory.mktemp("start")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "one.py").write_text(ONE_PLUGIN)

    def run(prepare=""):
        code = START.format(prepare=prepare)
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        greeting, *_, report = done.stdout.splitlines()
        assert greeting == "nebula_lab: 1 plugin."
        return json.loads(report)

    return run


@pytest.fixture(scope="module")
def imported(start):
    return set(start()["imported"])


@pytest.mark.parametrize("module", LATER)
def test_the_start_of_a_notebook_leaves_out(imported, module):
    assert module not in imported, LATER[module]


def test_the_start_of_a_notebook_has_what_it_finds_and_shows_plugins_with(imported):
    assert {"pydantic", "nebula_lab.manager", "nebula_lab.sandbox.process"} <= imported


@pytest.mark.parametrize(("prepare", "collects"), [("", True), ("import gc; gc.disable()", False)])
def test_the_garbage_collector_is_left_as_it_was(start, prepare, collects):
    assert start(prepare)["collects"] is collects


def test_the_help_of_the_command_line_needs_no_manager():
    code = """
import sys
from nebula_lab.cli.main import cli
cli(["--help"], standalone_mode=False)
sys.exit(bool({"pydantic", "networkx", "IPython", "jupyter_client"} & set(sys.modules)))
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
