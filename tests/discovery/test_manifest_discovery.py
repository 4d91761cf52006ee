"""One file that lists many plugins, and plugins that the configuration spells out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nebula_lab.discovery import (
    EntryPointsDiscoverer,
    ExplicitDiscoverer,
    FileSystemDiscoverer,
    ManifestDiscoverer,
)
from nebula_lab.errors import DiscoveryError
from nebula_lab.model import PluginConfig, PluginDescriptor
from nebula_lab.registry.discovering import RegistryDiscoverer
from nebula_lab.runtime.discoverers import discoverer_for

SEED = Path(__file__).parents[1] / "data" / "seed"
ENTRY = "def plugin_entry():\n    return 1\n"

LISTS = {
    "plugins.toml": """\
[[plugins]]
id = "alpha"
version = "1.0.0"
path = "src/alpha.py"

[[plugins.dependencies]]
plugin_id = "beta"

[[plugins]]
path = "src/beta.py"

[[plugins]]
path = "gamma/plugin.toml"
""",
    "plugins.json": json.dumps(
        {
            "plugins": [
                {
                    "id": "alpha",
                    "version": "1.0.0",
                    "path": "src/alpha.py",
                    "dependencies": ["beta"],
                },
                {"path": "src/beta.py"},
                "gamma/plugin.toml",
            ]
        },
        indent=2,
    ),
    "plugins.yaml": """\
plugins:
  - id: alpha
    version: 1.0.0
    path: src/alpha.py
    dependencies:
      - beta
  - path: src/beta.py
  - gamma/plugin.toml
""",
}


@pytest.fixture
def listed(plugins):
    plugins.write("src/alpha.py", ENTRY)
    plugins.plugin("src/beta.py", "beta")
    plugins.write("gamma/__init__.py", ENTRY)
    plugins.manifest("gamma/plugin.toml", "gamma")
    return plugins


def discover(plugins, name, text):
    return ManifestDiscoverer(plugins.write(name, text)).discover()


@pytest.mark.parametrize("name", LISTS)
def test_a_list_gives_its_plugins_in_order(listed, name):
    result = discover(listed, name, LISTS[name])
    assert result.problems == ()
    assert [d.id for d in result.descriptors] == ["alpha", "beta", "gamma"]
    assert result.descriptors[0].path == listed.path / "src" / "alpha.py"


@pytest.mark.parametrize("name", LISTS)
def test_a_dependency_in_a_list_has_its_line(listed, name):
    alpha = discover(listed, name, LISTS[name]).descriptors[0]
    line = LISTS[name].splitlines()[alpha.dependencies[0].declared_in.line - 1]
    assert "beta" in line
    assert "src" not in line


def test_the_manifest_of_one_plugin_is_a_list_of_one(plugins):
    plugins.write("my_plugin.py", ENTRY)
    result = discover(plugins, "my_plugin.toml", (SEED / "my_plugin.toml").read_text())
    assert [d.id for d in result.descriptors] == ["my_custom_resource"]


GOOD = '[[plugins]]\npath = "src/beta.py"\n\n'
BAD_ENTRIES = {
    "gone": (GOOD + '[[plugins]]\npath = "gone.py"\n', None, "listed in plugins.toml:5"),
    "no path": (GOOD + '[[plugins]]\nid = "x"\nversion = "1.0.0"\n', 5, "no path"),
    "neither": (GOOD + '[[plugins]]\nname = "x"\n', None, "neither a path"),
    "path and more": (GOOD + '[[plugins]]\npath = "src/beta.py"\nname = "x"\n', 6, "no id"),
    "unknown key": (
        GOOD + '[[plugins]]\nid = "alpha"\nversion = "1.0.0"\npath = "src/alpha.py"\nauthr = "x"\n',
        8,
        "author",
    ),
    "null byte": (GOOD + '[[plugins]]\npath = "a\\u0000.py"\n', None, "can't be read"),
}


@pytest.mark.parametrize("case", BAD_ENTRIES)
def test_a_bad_entry_of_a_list_leaves_the_others_alone(listed, case):
    text, line, part = BAD_ENTRIES[case]
    result = discover(listed, "plugins.toml", text)
    assert [d.id for d in result.descriptors] == ["beta"]
    (problem,) = result.problems
    assert part in str(problem)
    if line is not None:
        assert problem.location.line == line


BAD_LISTS = {
    "bad TOML": ("plugins.toml", "[[plugins]\n", "TOML"),
    "no list": ("plugins.toml", "", "no list"),
    "mistyped": ("plugins.toml", '[[plugin]]\npath = "a.py"\n', "Did you mean plugins?"),
    "a text": ("plugins.toml", 'plugins = "a.py"\n', "no list"),
    "another language": ("plugins.ini", "[plugins]", ".toml"),
    "bad YAML": ("plugins.yaml", "plugins: [\n", "YAML"),
}


@pytest.mark.parametrize("case", BAD_LISTS)
def test_a_bad_list_is_a_problem(plugins, case):
    name, text, part = BAD_LISTS[case]
    (problem,) = discover(plugins, name, text).problems
    assert part in str(problem)
    assert problem.location.path == plugins.path / name


def test_a_list_that_is_not_there_raises(tmp_path):
    with pytest.raises(DiscoveryError, match="not there"):
        ManifestDiscoverer(tmp_path / "plugins.toml").discover()


def test_two_entries_with_one_id_are_reported(listed):
    result = discover(listed, "plugins.toml", GOOD + GOOD)
    assert [p.kind for p in result.problems] == ["duplicate"]


def test_an_explicit_plugin_is_taken_as_it_is_given(plugins):
    file = plugins.write("alpha.py", "PLUGIN_API_VERSION = 1\n" + ENTRY)
    given = PluginDescriptor(id="alpha", version="1.0.0", path=file)
    (found,) = ExplicitDiscoverer([given]).discover().descriptors
    assert (found.id, found.path, found.runtime.api_version) == ("alpha", file, 1)


def test_an_explicit_plugin_without_a_source_is_a_problem(tmp_path):
    given = PluginDescriptor(id="alpha", version="1.0.0", path=tmp_path / "gone.py")
    (problem,) = ExplicitDiscoverer([given]).discover().problems
    assert problem.plugin_id == "alpha"
    assert "gone.py" in problem.message


def test_an_explicit_plugin_whose_source_says_another_id_is_a_problem(plugins):
    file = plugins.plugin("alpha.py", "beta")
    given = PluginDescriptor(id="alpha", version="1.0.0", path=file)
    result = ExplicitDiscoverer([given]).discover()
    assert result.descriptors == ()
    assert "'beta'" in result.problems[0].message


STRATEGIES = {
    "FileSystem": ({"type": "FileSystem"}, FileSystemDiscoverer),
    "Manifest": ({"type": "Manifest", "path": "plugins.toml"}, ManifestDiscoverer),
    "Explicit": ({"type": "Explicit", "plugins": []}, ExplicitDiscoverer),
    "EntryPoints": ("EntryPoints", EntryPointsDiscoverer),
    "Registry": ({"type": "Registry", "url": "https://plugins.example"}, RegistryDiscoverer),
}


@pytest.mark.parametrize("name", STRATEGIES)
def test_each_strategy_has_its_discoverer(tmp_path, name):
    strategy, expected = STRATEGIES[name]
    config = PluginConfig.model_validate({"plugin_dir": str(tmp_path), "discovery": strategy})
    assert isinstance(discoverer_for(config), expected)


def test_without_a_plugin_folder_nothing_is_found():
    assert discoverer_for(PluginConfig()).discover().descriptors == ()
