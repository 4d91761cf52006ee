"""Documents that are meant to take the manager's memory, stack or time while it reads them."""

from __future__ import annotations

import ast
import time
import tomllib
import warnings

import pytest
import yaml

from nebula_lab import PluginConfig, PluginManager, UnenforcedWarning
from nebula_lab.errors import PluginError

SECONDS = 5.0  # of processor time, whatever else the machine has to do
_DEPTH = 100_000
_HUGE = 64 << 20  # bytes
_NAMED = 'id = "bomb"\nversion = "1.0.0"\n'
_PLUGIN = "from nebula_lab.plugin import Plugin\ndef plugin_entry(): return Plugin()\n"


def laughs() -> str:
    """Nine lists of ten times the one before: a thousand million words, if written out."""
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    for level in range(1, 9):
        ten = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} [{ten}]")
    return "\n".join(lines) + "\nplugin_dir: *a8\n"


# Made by whoever needs one: all processes that run tests have this module.
TOML_BOMBS = {
    "nested lists": lambda: _NAMED + f"tags = {'[' * _DEPTH}{']' * _DEPTH}\n",
    "nested tables": lambda: _NAMED + f"[{'.'.join('a' * 50_000)}]\nx = 1\n",
    "a huge text": lambda: _NAMED + f'description = "{"x" * _HUGE}"\n',
    "a huge number": lambda: f'id = "bomb"\nversion = "1.0.0"\nx = {"9" * 1_000_000}\n',
}
SOURCE_BOMBS = {
    "nested lists": lambda: f"PLUGIN_METADATA = {'[' * 5000}{']' * 5000}\n",
    "nested signs": lambda: f"PLUGIN_METADATA = {'-' * 50_000}1\n",
    "a long sum": lambda: f"PLUGIN_METADATA = {'+'.join(['1'] * 50_000)}\n",
    "a huge text": lambda: f'PLUGIN_METADATA = {{"id": "{"x" * _HUGE}"}}\n',
}


def test_the_laughs_are_a_thousand_million():
    """The proof: the parser gives it, and nobody could write it out."""
    found, count = yaml.safe_load(laughs())["plugin_dir"], 1
    while isinstance(found, list):
        count, found = count * len(found), found[0]
    assert (count, found) == (10**9, "ha")


def test_nested_documents_take_the_stack_of_a_parser():
    """The proof, for those that know no bound of their own."""
    with pytest.raises(RecursionError):
        tomllib.loads(TOML_BOMBS["nested lists"]())
    with pytest.raises((RecursionError, MemoryError, SyntaxError)):
        ast.parse(SOURCE_BOMBS["nested lists"]())


def problems_of(folder):
    folder.joinpath("good.py").write_text(
        f"{_PLUGIN}PLUGIN_METADATA = {{'id': 'good', 'version': '1.0.0'}}\n"
    )
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnenforcedWarning)
        plugins = PluginManager({"plugin_dir": folder})
    with plugins:
        assert time.process_time() - began < SECONDS
        assert "good" in [info.id for info in plugins.list_plugins()]
        return plugins.problems


@pytest.mark.parametrize("bomb", TOML_BOMBS)
def test_a_manifest_costs_its_own_plugin_alone(tmp_path, bomb):
    (tmp_path / "bomb.py").write_text(_PLUGIN)
    (tmp_path / "bomb.toml").write_text(TOML_BOMBS[bomb]())
    problems = problems_of(tmp_path)
    assert len(problems) == 1
    assert "bomb" in str(problems[0])
    assert len(str(problems[0])) < 2000


@pytest.mark.parametrize("bomb", SOURCE_BOMBS)
def test_metadata_in_source_costs_its_own_plugin_alone(tmp_path, bomb):
    (tmp_path / "bomb.py").write_text(SOURCE_BOMBS[bomb]() + _PLUGIN)
    problems = problems_of(tmp_path)
    assert len(problems) == 1
    assert len(str(problems[0])) < 2000


def test_a_config_of_laughs_is_refused_at_once(tmp_path):
    path = tmp_path / "plugin_resource.yaml"
    path.write_text(laughs())
    began = time.process_time()
    with pytest.raises(PluginError) as caught:
        PluginConfig.from_file(path)
    assert time.process_time() - began < SECONDS
    assert len(str(caught.value)) < 5000
