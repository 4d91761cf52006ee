"""A manager whose plugins run in machines, and a way to write some."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from pathlib import Path

import left_behind
import pytest
from wasm_component import need_wasm

from nebula_lab import PluginManager, UnenforcedWarning
from nebula_lab.runtime.output import QuietSink

PLUGIN = """\
import array, asyncio, datetime, decimal, os, pathlib, sys, time
from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {metadata!r}

class It(Plugin):
{methods}

def plugin_entry():
    return It()
"""


class Workshop:
    """A folder of plugins, and managers on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def plugin(self, plugin_id, methods, **metadata):
        whole = {
            "id": plugin_id,
            "version": "1.0.0",
            "security": {"capabilities": ["MemoryAllocation"]},
            **metadata,
        }
        lines = "\n".join(f"    {line}" for line in methods.strip("\n").splitlines())
        source = PLUGIN.format(metadata=whole, methods=lines)
        (self.folder / f"{plugin_id}.py").write_text(source)

    @contextmanager
    def manager(self, output=None, **settings):
        security = {"sandbox": "Wasm", **settings.pop("security", {})}
        config = {
            "plugin_dir": self.folder,
            "hot_reload": False,
            "grace": 5.0,  # what computes is stopped at once, however busy the machine is
            "restart": {"max_restarts": 1000, "backoff": 0},
            "security": security,
            **settings,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnenforcedWarning)
            manager = PluginManager(config, output=output or QuietSink())
        with manager:
            yield manager


@pytest.fixture(scope="session", autouse=True)
def component():
    need_wasm()


@pytest.fixture
def workshop(tmp_path):
    return Workshop(tmp_path / "plugins")


@pytest.fixture(scope="module")
def shared_workshop(tmp_path_factory):
    return Workshop(tmp_path_factory.mktemp("shared") / "plugins")


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_behind():
    """As for every test, but once for a module: its tests share managers."""
    with left_behind.nothing():
        yield
