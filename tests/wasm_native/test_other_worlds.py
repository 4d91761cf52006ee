"""A component of WebAssembly's own text is a plugin; one of another world is refused by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from component_lab import HERE

import nebula_lab
from nebula_lab import PluginManager
from nebula_lab.errors import LoadFailedError
from nebula_lab.runtime.output import QuietSink

TEXT = HERE / "echo.wat"
WORLD = (Path(nebula_lab.__file__).parent / "agent/components/plugin.wit").read_text()
# What another world says, with the same code, and how it is refused.
OTHERS = {
    "a function takes something else": (
        "restore-state: func(state: string)",
        "restore-state: func(state: list<u8>)",
        "of its restore-state, it does not take what the world says: string",
    ),
    "a function gives something else": (
        "describe: func() -> string;",
        "describe: func() -> list<u8>;",
        "of its describe, it gives something else than the world says",
    ),
    "a function is missing": ("cleanup: func();", "", "has no cleanup"),
}


@pytest.fixture
def make(tmp_path):
    """Makes a component of the text, for a world."""
    wasm_tools = Path(sys.executable).with_name("wasm-tools")
    (tmp_path / "plugins").mkdir()

    def run(*words):
        subprocess.run([wasm_tools, "component", *words], cwd=tmp_path, check=True)

    def make(world: str = WORLD) -> Path:
        (tmp_path / "it.wit").write_text(world)
        run("embed", "--world", "plugin", "it.wit", TEXT, "-o", "it.core.wasm")
        run("new", "it.core.wasm", "-o", "plugins/it.wasm")
        (tmp_path / "plugins" / "it.toml").write_text('id = "it"\nversion = "1.0.0"\n')
        return tmp_path / "plugins"

    return make


def manager(folder):
    config = {"plugin_dir": folder, "hot_reload": False, "security": {"sandbox": "None"}}
    return PluginManager(config, output=QuietSink())


@pytest.mark.filterwarnings("ignore::nebula_lab.UnenforcedWarning")
def test_a_component_of_webassemblys_own_text_is_a_plugin(make):
    with manager(make()) as plugins:
        for number in range(3):
            assert plugins.execute("it", "echo", {"n": number}) == {"n": number}
        assert plugins.plugin_health("it").message == ""


@pytest.mark.filterwarnings("ignore::nebula_lab.UnenforcedWarning")
@pytest.mark.parametrize("other", OTHERS)
def test_a_component_of_another_world_is_refused_with_the_difference(make, other):
    ours, theirs, words = OTHERS[other]
    assert ours in WORLD
    folder = make(world=WORLD.replace(ours, theirs))
    with manager(folder) as plugins, pytest.raises(LoadFailedError, match=words):
        plugins.load_plugin("it")
