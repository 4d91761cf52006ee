"""What `%load_ext nebula_lab` imports, and what it leaves for when it is needed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# In a process that has what a kernel has imported by itself.
START = """
import json, sys, threading
import ipykernel.ipkernel, ipykernel.kernelapp, ipykernel.zmqshell
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before = set(sys.modules)
{prepare}
class Watch:
    # Notes what this thread imports; another gets ready for the first load meanwhile.
    here, seen = threading.get_ident(), []
    def find_spec(self, name, path=None, target=None):
        if threading.get_ident() == self.here:
            self.seen.append(name)
sys.meta_path.insert(0, Watch())
import gc
largest = [0]
def look(phase, about):
    if phase == "start":
        largest[0] = max(largest[0], gc.get_count()[0], len(gc.get_objects(generation=0)))
gc.callbacks.append(look)
shell.run_line_magic("load_ext", "nebula_lab")
report = {{"waited_for": list(Watch.seen), "imported": sorted(set(sys.modules) - before)}}
report["largest"] = largest[0]
from nebula_lab.model import PluginConfig, PluginDescriptor
models = PluginConfig, PluginDescriptor
report["compiled"] = [one.__name__ for one in models if one.__pydantic_complete__]
print(json.dumps({{**report, "collects": gc.isenabled()}}))
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
# A thread imports these meanwhile, or whoever wants them first.
NOT_WAITED_FOR = {
    "nebula_lab.runtime.engine": "what runs plugins, for the first load",
    "nebula_lab.runtime.reload": "for the first reload, and so part of that",
    "nebula_lab.sandbox.process": "for the first process",
    "nebula_lab.confine.seccomp": "for the same",
    "nebula_lab.link.channel": "for the first call",
    "nebula_lab.trust.store": "for the files of the first plugin that runs",
    "nebula_lab.notebook.commands": "all subcommands, for the first %plugin",
    "nebula_lab.views.table": "for the first view",
    "nebula_lab.discovery.notebook": "for a plugin that is a notebook",
    "nebula_lab.model.granted_rights": "for a plugin that asks for rights",
    "nebula_lab.model.policy": "for the first process",
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
def started(start):
    return start()


@pytest.fixture(scope="module")
def imported(started):
    return set(started["imported"])


@pytest.mark.parametrize("module", LATER)
def test_the_start_of_a_notebook_leaves_out(imported, module):
    assert module not in imported, LATER[module]


@pytest.mark.parametrize("module", NOT_WAITED_FOR)
def test_the_start_of_a_notebook_does_not_wait_for(started, module):
    assert module not in started["waited_for"], NOT_WAITED_FOR[module]


def test_the_start_of_a_notebook_has_what_it_finds_plugins_with(started):
    assert {"pydantic", "nebula_lab.manager", "nebula_lab.runtime.catalogue"} <= {
        *started["waited_for"]
    }


def test_the_start_of_a_notebook_compiles_no_model_for_a_plugin_that_says_little(started):
    assert started["compiled"] == []


@pytest.mark.parametrize(("prepare", "collects"), [("", True), ("import gc; gc.disable()", False)])
def test_the_garbage_collector_is_left_as_it_was(start, prepare, collects):
    assert start(prepare)["collects"] is collects


def test_the_collector_looks_at_nothing_that_the_start_has_made(started):
    """Tens of thousands of objects, all of which stay."""
    assert started["largest"] < 10_000


def test_the_help_of_the_command_line_needs_no_manager():
    code = """
import sys
from nebula_lab.cli.main import cli
cli(["--help"], standalone_mode=False)
sys.exit(bool({"pydantic", "networkx", "IPython", "jupyter_client"} & set(sys.modules)))
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
