"""Which files of a folder are plugins, and what is read of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from nebula_lab.discovery import FileSystemDiscoverer, files_of, read_descriptor
from nebula_lab.errors import DiscoveryError, MetadataLoadError

SEED = Path(__file__).parents[1] / "data" / "seed"
ENTRY = "def plugin_entry():\n    return 1\n"
RUNS = "raise SystemExit('this source was run')\n"


def test_a_file_with_literal_metadata_is_a_plugin(plugins):
    plugins.plugin("counter.py", "counter", tags=["priority:10"])
    (found,) = plugins.discover().descriptors
    assert (found.id, str(found.version), found.path.name) == ("counter", "1.0.0", "counter.py")
    assert found.metadata.priority == 10


def test_a_file_is_described_by_the_manifest_of_its_name(plugins):
    plugins.write("counter.py", ENTRY)
    manifest = plugins.manifest("counter.toml", "counter")
    (found,) = plugins.discover().descriptors
    assert found.path == plugins.path / "counter.py"
    assert found.declared_in.path == manifest


def test_a_json_manifest_does_as_well(plugins):
    plugins.write("counter.py", ENTRY)
    plugins.write("counter.json", '{"id": "counter", "version": "2.0.0"}')
    assert [str(d.version) for d in plugins.discover().descriptors] == ["2.0.0"]


def test_a_package_is_described_by_the_manifest_inside_it(plugins):
    plugins.write("counter/__init__.py", ENTRY)
    plugins.manifest("counter/plugin.toml", "counter")
    (found,) = plugins.discover().descriptors
    assert found.path == plugins.path / "counter"


def test_a_package_is_described_by_the_manifest_beside_it(plugins):
    plugins.write("counter/__init__.py", ENTRY)
    plugins.manifest("counter.toml", "counter")
    assert [d.path.name for d in plugins.discover().descriptors] == ["counter"]


def test_a_package_is_described_by_its_init(plugins):
    plugins.plugin("counter/__init__.py", "counter")
    (found,) = plugins.discover().descriptors
    assert found.path == plugins.path / "counter"


def test_a_folder_with_a_manifest_and_one_file_is_a_plugin(plugins):
    plugins.write("folder/counting.py", ENTRY)
    plugins.manifest("folder/plugin.toml", "counter")
    (found,) = plugins.discover().descriptors
    assert found.path == plugins.path / "folder" / "counting.py"


def test_the_inner_files_of_a_package_are_not_plugins(plugins):
    plugins.plugin("counter/__init__.py", "counter")
    plugins.plugin("counter/inner.py", "inner")
    assert plugins.ids(recursive=True) == ["counter"]


def test_the_plugin_folder_itself_can_be_one_plugin(plugins):
    plugins.plugin("inner.py", "inner")
    plugins.write("__init__.py", ENTRY)
    plugins.manifest("plugin.toml", "whole")
    assert plugins.ids() == ["whole"]


def test_a_plugin_toml_describes_the_one_file_beside_it(plugins):
    plugins.plugin("counter.py", "counter")
    plugins.manifest("plugin.toml", "counter")
    result = plugins.discover()
    assert [d.declared_in.path.name for d in result.descriptors] == ["plugin.toml"]
    assert result.problems == ()


def test_a_manifest_names_its_source_relative_to_itself(plugins):
    plugins.write("lib/counting.py", ENTRY)
    plugins.manifest("counter.toml", "counter", 'path = "./lib/counting.py"')
    (found,) = plugins.discover().descriptors
    assert found.path == plugins.path / "lib" / "counting.py"


def test_a_source_that_a_manifest_names_is_not_a_plugin_again(plugins):
    plugins.plugin("impl.py", "counter")
    plugins.manifest("counter.toml", "counter", 'path = "impl.py"')
    result = plugins.discover()
    assert [d.id for d in result.descriptors] == ["counter"]
    assert result.problems == ()


def test_a_file_without_metadata_and_entry_is_no_plugin_and_no_problem(plugins):
    plugins.write("helper.py", "def add(a, b):\n    return a + b\n")
    plugins.write("settings.toml", 'colour = "red"\n')
    plugins.write("data.json", "[1, 2, 3]")
    result = plugins.discover()
    assert result.descriptors == ()
    assert result.problems == ()


def test_an_entry_without_metadata_is_a_problem_with_metadata_to_paste(plugins):
    plugins.write("my-plugin 2.py", ENTRY)
    problem = plugins.only_problem()
    assert 'PLUGIN_METADATA = {"id": "my-plugin_2", "version": "0.1.0"}' in problem.cure


def test_finding_plugins_never_runs_them(plugins):
    metadata = 'PLUGIN_METADATA = {"id": "%s", "version": "1.0.0"}\n'
    plugins.write("a.py", RUNS + metadata % "a")
    plugins.write("b/__init__.py", RUNS + metadata % "b")
    plugins.write("c.py", RUNS)
    plugins.manifest("c.toml", "c")
    plugins.notebook("d.ipynb", RUNS + metadata % "d")
    assert plugins.ids() == ["a", "b", "c", "d"]


IGNORED = [".hidden.py", "__pycache__/a.py", ".ipynb_checkpoints/a.py", ".git/a.py"]


@pytest.mark.parametrize("name", IGNORED)
def test_hidden_files_and_caches_are_ignored(plugins, name):
    plugins.plugin(name, "hidden")
    assert plugins.discover(recursive=True).descriptors == ()


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", ["alpha", "beta", "gamma"]),
        ("*.py", ["alpha", "gamma"]),
        ("a*", ["alpha"]),
        ("A*", []),
        ("beta.toml", ["beta"]),
        ("*.ipynb", ["beta"]),
        ("gamma", ["gamma"]),
        ("[ab]*", ["alpha", "beta"]),
    ],
)
def test_the_pattern_is_matched_against_names_of_sources_and_manifests(plugins, pattern, expected):
    plugins.plugin("alpha.py", "alpha")
    plugins.notebook("beta.ipynb", "1 + 1")
    plugins.manifest("beta.toml", "beta")
    plugins.plugin("gamma/__init__.py", "gamma")
    assert plugins.ids(pattern) == expected


def test_a_pattern_for_native_libraries_takes_every_plugin_and_says_so(plugins):
    plugins.plugin("alpha.py", "alpha")
    result = plugins.discover("*.so")
    assert [d.id for d in result.descriptors] == ["alpha"]
    assert [p.severity for p in result.problems] == ["note"]


def test_subfolders_are_searched_only_when_asked(plugins):
    plugins.plugin("alpha.py", "alpha")
    plugins.plugin("more/deeper/beta.py", "beta")
    assert plugins.ids() == ["alpha"]
    assert plugins.ids(recursive=True) == ["alpha", "beta"]


def test_a_package_without_metadata_is_searched_like_a_folder(plugins):
    plugins.write("more/__init__.py", '"""A collection."""\n')
    plugins.plugin("more/beta.py", "beta")
    assert plugins.ids(recursive=True) == ["beta"]


def test_plugins_come_in_the_order_of_their_paths(plugins):
    for name in ("c.py", "a.py", "b/__init__.py"):
        plugins.plugin(name, name[0])
    assert plugins.ids() == ["a", "b", "c"]


def test_a_missing_folder_raises(tmp_path):
    with pytest.raises(DiscoveryError, match="plugin_dir"):
        FileSystemDiscoverer(tmp_path / "nowhere").discover()


def test_the_seed_manifest_loads_as_it_stands(plugins):
    plugins.write("my_plugin.toml", (SEED / "my_plugin.toml").read_text())
    plugins.write("my_plugin.py", ENTRY)
    (found,) = plugins.discover("*.so").descriptors
    assert found.id == "my_custom_resource"
    assert found.path == plugins.path / "my_plugin.py"
    lines = (SEED / "my_plugin.toml").read_text().splitlines()
    for dependency in found.dependencies:
        assert dependency.plugin_id in lines[dependency.declared_in.line - 1]


def test_the_api_version_of_the_source_holds_where_the_manifest_says_nothing(plugins):
    plugins.write("a.py", "PLUGIN_API_VERSION = 3\n" + ENTRY)
    plugins.manifest("a.toml", "a")
    plugins.write("b.py", "PLUGIN_API_VERSION = 3\n" + ENTRY)
    plugins.manifest("b.toml", "b", "[runtime]\napi_version = 1")
    assert [d.runtime.api_version for d in plugins.discover().descriptors] == [3, 1]


def test_a_plugin_can_be_read_by_any_of_its_paths(plugins):
    plugins.write("counter.py", ENTRY)
    plugins.manifest("counter.toml", "counter")
    plugins.write("package/__init__.py", ENTRY)
    plugins.manifest("package/plugin.toml", "package")
    by_path = {
        "counter.py": "counter",
        "counter.toml": "counter",
        "package": "package",
        "package/plugin.toml": "package",
    }
    assert {p: read_descriptor(plugins.path / p).id for p in by_path} == by_path


def test_reading_what_is_no_plugin_raises(plugins):
    helper = plugins.write("helper.py", "x = 1\n")
    for path in (helper, plugins.path, plugins.path / "missing.py", Path("/")):
        with pytest.raises(MetadataLoadError):
            read_descriptor(path)


def test_the_files_of_a_package_are_all_but_caches(plugins):
    plugins.plugin("counter/__init__.py", "counter")
    plugins.write("counter/data/table.csv", "1,2")
    plugins.write("counter/__pycache__/x.pyc", "")
    (found,) = plugins.discover().descriptors
    names = [file.relative_to(plugins.path).as_posix() for file in files_of(found)]
    assert names == ["counter/__init__.py", "counter/data/table.csv"]


def test_the_files_of_a_file_are_itself_and_its_manifest(plugins):
    plugins.write("counter.py", ENTRY)
    plugins.manifest("counter.toml", "counter")
    (found,) = plugins.discover().descriptors
    assert [file.name for file in files_of(found)] == ["counter.py", "counter.toml"]
