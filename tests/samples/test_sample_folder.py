"""The folder of samples as discovery and the resolver see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nebula_lab.agent.notebook_file import read_notebook
from nebula_lab.agent.source import forget_source, import_source, make_resource
from nebula_lab.discovery import FileSystemDiscoverer
from nebula_lab.model.config import PluginConfig
from nebula_lab.plugin import describe
from nebula_lab.resolver import PluginRegistry
from nebula_lab.runtime.discoverers import discoverer_for

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "sample_plugins"
IDS = [
    "base_resource",
    "crasher",
    "data_profiler",
    "fetcher",
    "greeter",
    "logger",
    "my_custom_resource",
    "readability",
    "search_index",
    "sleeper",
    "thumbnailer",
]
MOST_LINES = 119  # "under 120 lines with its manifest"


@pytest.fixture(scope="module")
def found():
    return FileSystemDiscoverer(SAMPLES).discover()


@pytest.fixture(scope="module")
def resolution(found):
    registry = PluginRegistry()
    for descriptor in found.descriptors:
        registry.register(descriptor)
    return registry.resolve_dependencies()


def test_every_sample_is_found_and_the_broken_ones_are_not(found):
    assert sorted(descriptor.id for descriptor in found.descriptors) == IDS


def test_there_is_nothing_to_say_against_the_samples(found, resolution):
    assert [*found.problems, *resolution.problems, *resolution.notes] == []


def test_the_resource_loads_after_what_it_depends_on(resolution):
    assert resolution.load_order[:3] == ("base_resource", "logger", "my_custom_resource")


def test_the_resource_has_the_priority_of_the_seed(found):
    priorities = {d.id: d.metadata.priority for d in found.descriptors}
    assert priorities["my_custom_resource"] == 10


def test_the_configuration_of_the_repository_finds_the_samples():
    config = PluginConfig.from_file(ROOT / "plugin_resource.yaml")
    result = discoverer_for(config).discover()
    assert sorted(descriptor.id for descriptor in result.descriptors) == IDS


def test_the_configuration_speaks_of_samples_only():
    assert set(PluginConfig.from_file(ROOT / "plugin_resource.yaml").global_config) <= set(IDS)


@pytest.mark.parametrize("plugin_id", IDS)
def test_a_sample_is_shorter_than_120_lines_with_its_manifest(plugin_id):
    folder = SAMPLES / plugin_id
    files = folder.iterdir() if folder.is_dir() else SAMPLES.glob(f"{plugin_id}.*")
    lines = {path: _lines(path) for path in files if path.suffix in (".py", ".toml", ".ipynb")}
    assert lines
    assert sum(map(len, lines.values())) <= MOST_LINES


def _lines(path):
    """Of a notebook those of its code."""
    if path.suffix != ".ipynb":
        return path.read_text().splitlines()
    cells = read_notebook(path.read_bytes()).cells
    return [line for cell in cells for line in cell.source.splitlines()]


@pytest.mark.parametrize("plugin_id", [name for name in IDS if name != "greeter"])
def test_each_operation_of_a_sample_says_what_it_does_and_returns(found, plugin_id):
    [descriptor] = [d for d in found.descriptors if d.id == plugin_id]
    name = f"samples_{plugin_id}"
    resource = make_resource(import_source(descriptor.path, name), descriptor.path, 1)
    forget_source(name)
    operations = describe(resource).operations
    assert operations
    for operation in operations:
        assert operation.description, operation.name
        assert operation.result_schema is not None, operation.name
