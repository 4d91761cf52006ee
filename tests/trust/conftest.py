"""Plugins on disk, their files as values, and stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from nebula_lab.discovery import read_descriptor
from nebula_lab.trust.collecting import collect
from nebula_lab.trust.store import ContentStore

PLUGIN = """
from nebula_lab.plugin import Plugin, operation
PLUGIN_METADATA = {"id": "counter", "version": "1.0.0"}

class Counter(Plugin):
    @operation
    def one(self) -> int:
        return 1

def plugin_entry():
    return Counter()
"""
MANIFEST = 'id = "{id}"\nversion = "1.0.0"\n'


@pytest.fixture
def plugins(tmp_path):
    """A folder of plugins."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    return folder


@pytest.fixture
def write(plugins):
    """Writes a file into the folder of plugins."""

    def write(name: str, content: str | bytes = "") -> Path:
        path = plugins / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def counter(write):
    """A plugin of one file."""
    return write("counter.py", PLUGIN)


@pytest.fixture
def package(write):
    """A plugin that is a package, with its manifest inside."""
    write("pack/plugin.toml", MANIFEST.format(id="pack"))
    write("pack/inner/__init__.py", "VALUE = 1\n")
    write("pack/inner/data.bin", bytes(range(256)))
    return write("pack/__init__.py", "from .inner import VALUE\ndef plugin_entry(): ...\n").parent


@pytest.fixture
def take():
    """Collects the plugin at a path."""
    return lambda path: collect(read_descriptor(path))


@pytest.fixture
def store(tmp_path):
    return ContentStore(tmp_path / "store")


@pytest.fixture
def names():
    """The paths of what was collected."""
    return lambda collected: [file.path for file in collected.files.files]
