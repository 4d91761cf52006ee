"""Everything that is wrong with one plugin is an entry in `problems`, and harms no other."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from plugin_folder import PluginFolder

from nebula_lab.discovery import read_descriptor
from nebula_lab.errors import MetadataLoadError

ENTRY = "\n\ndef plugin_entry():\n    return 1\n"
GOOD = 'PLUGIN_METADATA = {"id": "bad", "version": "1.0.0"}\n'

# Name and content of a file, the line that the problem gives, and a part of its message.
BROKEN_FILES = {
    "syntax error": ("bad.py", "x = 1\ndef plugin_entry(:\n", 2, "not Python"),
    "deep brackets": ("bad.py", "PLUGIN_METADATA = " + "[" * 50_000, 1, "nested"),
    "out of memory": ("bad.py", "x = " + "-" * 100_000 + "1\n", None, "nested"),
    "out of recursion": ("bad.py", "x" + ".a" * 100_000 + "\n", None, "nested"),
    "null bytes": ("bad.py", b"x = 1\ny = '\0'\n" + ENTRY.encode(), None, "null bytes"),
    "not UTF-8": ("bad.py", b"x = 1\ny = '\xff'\n", 2, "utf-8"),
    "too large": ("bad.py", b"#" * (1024 * 1024 + 1), None, "bytes"),
    "computed": ("bad.py", "n = 'bad'\nPLUGIN_METADATA = {'id': n}\n", 2, "without running"),
    "computed function": (
        "bad.py",
        "\ndef plugin_metadata():\n    x = 1\n    return {'id': 'bad'}\n",
        2,
        "without running",
    ),
    "not a dict": ("bad.py", "PLUGIN_METADATA = [1]\n", 1, "not a dict"),
    "not JSON": ("bad.py", "def plugin_metadata():\n    return '{'\n", 2, "not JSON"),
    "api version": ("bad.py", f"PLUGIN_API_VERSION = '1'\n{GOOD}", 1, "whole number"),
    "path in a source": (
        "bad.py",
        "PLUGIN_METADATA = {\n 'id': 'bad', 'version': '1.0.0',\n 'path': 'x'}\n",
        3,
        "describes itself",
    ),
    "no version": ("bad.py", "\nPLUGIN_METADATA = {'id': 'bad'}\n", 2, "version"),
    "bad version": (
        "bad.py",
        "PLUGIN_METADATA = {\n  'id': 'bad',\n  'version': '1.0',\n}\n",
        3,
        "1.0.0",
    ),
    "unknown key in a source": (
        "bad.py",
        "PLUGIN_METADATA = {\n  'id': 'bad',\n  'version': '1.0.0',\n  'authr': 'x'}\n",
        4,
        "author",
    ),
    "bad TOML": ("plugin.toml", 'id = "bad"\nversion = \n', 2, "TOML"),
    "bad JSON": ("plugin.json", '{"id": "bad",\n "version": }', 2, "JSON"),
    "deep JSON": ("plugin.json", '{"id":' + "[" * 100_000, None, "nested"),
    "deep TOML": ("plugin.toml", 'id = "bad"\nx = ' + "[" * 100_000, None, "nested"),
    "huge number": ("plugin.json", '{"id": ' + "1" * 5000 + "}", None, "can't be read"),
    "TOML not UTF-8": ("plugin.toml", b'id = "bad"\nname = "\xff"\n', 2, "UTF-8"),
    "manifest is a list": ("plugin.json", '["id", {"id": 1}]', None, "table"),
    "manifest without a source": (
        "bad.toml",
        'id = "bad"\nversion = "1.0.0"\n',
        1,
        "no bad.py beside it",
    ),
    "path to nothing": (
        "bad.toml",
        'id = "bad"\nversion = "1.0.0"\npath = "gone.py"\n',
        3,
        "leads to nothing",
    ),
    "path with a null byte": (
        "bad.toml",
        'id = "bad"\nversion = "1.0.0"\npath = "a\\u0000.py"\n',
        3,
        "leads to nothing",
    ),
    "notebook without JSON": ("bad.ipynb", "hello", 1, "notebook"),
    "notebook without cells": ("bad.ipynb", "{}", None, "notebook"),
}


@pytest.mark.parametrize("case", BROKEN_FILES)
def test_a_broken_file_is_a_problem_with_its_file_and_line(plugins, case):
    name, content, line, part = BROKEN_FILES[case]
    file = plugins.write(name, content)
    problem = plugins.only_problem()
    assert problem.location.path == file
    assert problem.location.line == line
    assert part in problem.message
    assert plugins.discover().descriptors == ()


@pytest.mark.parametrize("case", BROKEN_FILES)
def test_a_broken_file_leaves_the_others_alone(plugins, case):
    name, content, _, _ = BROKEN_FILES[case]
    plugins.write(f"sub/{name}", content)
    plugins.plugin("good.py", "good")
    assert plugins.ids(recursive=True) == ["good"]


@pytest.mark.parametrize("case", [c for c in BROKEN_FILES if c.startswith(("s", "n", "c", "b"))])
def test_reading_a_broken_file_by_its_path_raises(plugins, case):
    name, content, _, _ = BROKEN_FILES[case]
    with pytest.raises(MetadataLoadError):
        read_descriptor(plugins.write(name, content))


MANIFEST = 'id = "bad"\nversion = "1.0.0"\n'
BAD_MANIFESTS = {
    "unknown key": (MANIFEST + 'verison = "1"\n', 3, "version"),
    "unknown key in metadata": (MANIFEST + '[metadata]\nlicence = "MIT"\n', 4, "license"),
    "bad requirement": (
        MANIFEST + '[[dependencies]]\nplugin_id = "a"\nversion_req = ">>1"\n',
        5,
        "version_req",
    ),
    "bad requirement in a list": (MANIFEST + 'dependencies = [\n  "a >>1",\n]\n', None, ">>1"),
    "bad id": ('id = "no spaces"\nversion = "1.0.0"\n', 1, "id"),
    "no id": ('version = "1.0.0"\n', None, "id"),
    "declared_in": (MANIFEST + 'declared_in = "elsewhere"\n', 3, "declared_in"),
}


@pytest.mark.parametrize("case", BAD_MANIFESTS)
def test_a_bad_value_in_a_manifest_is_a_problem_with_its_line(plugins, case):
    text, line, part = BAD_MANIFESTS[case]
    plugins.write("bad.py", ENTRY)
    manifest = plugins.write("bad.toml", text)
    problem = plugins.only_problem()
    assert problem.location.path == manifest
    assert part in problem.message
    if line is not None:
        assert problem.location.line == line


def test_a_plugin_that_says_it_is_another_is_left_out(plugins):
    plugins.plugin("a.py", "somebody_else")
    plugins.manifest("a.toml", "a")
    problem = plugins.only_problem()
    assert "'a'" in problem.message
    assert "'somebody_else'" in problem.message
    assert f"{plugins.path / 'a.py'}:1" in problem.message
    assert plugins.ids() == []


def test_a_source_of_another_version_than_its_manifest_is_noted(plugins):
    plugins.plugin("a.py", "a", version="2.0.0")
    plugins.manifest("a.toml", "a")
    assert plugins.only_problem().severity == "note"
    assert plugins.ids() == ["a"]


def test_of_two_plugins_with_one_id_and_version_the_first_is_taken_and_both_are_named(plugins):
    plugins.plugin("one.py", "same")
    plugins.plugin("two.py", "same")
    result = plugins.discover()
    assert [d.path.name for d in result.descriptors] == ["one.py"]
    (problem,) = result.problems
    assert "one.py" in problem.message
    assert "two.py" in problem.message
    assert (problem.plugin_id, problem.kind) == ("same", "duplicate")


def test_of_several_versions_of_a_plugin_all_are_known_and_the_newest_comes_first(plugins):
    plugins.plugin("one.py", "same")
    plugins.plugin("three.py", "same", version="3.0.0-beta")
    plugins.plugin("two.py", "same", version="2.0.0")
    result = plugins.discover()
    assert [str(one.version) for one in result.descriptors] == ["2.0.0"]
    assert [str(one.version) for one in result.others] == ["1.0.0", "3.0.0-beta"]
    assert not result.problems


def test_a_plugin_that_breaks_below_its_metadata_is_listed_and_reported(plugins):
    file = plugins.write("a.py", 'PLUGIN_METADATA = {"id": "bad", "version": "1.0.0"}\n\nx = (\n')
    assert plugins.only_problem().location.line == 3
    assert plugins.ids() == ["bad"]
    with pytest.raises(MetadataLoadError, match="not Python"):
        read_descriptor(file)


def test_a_broken_source_with_a_manifest_is_left_to_its_load(plugins):
    plugins.write("a.py", "PLUGIN_API_VERSION = (\n")
    plugins.manifest("a.toml", "a")
    assert plugins.ids() == ["a"]


def test_a_manifest_that_could_mean_several_sources_is_a_problem(plugins):
    plugins.plugin("a/one.py", "one")
    plugins.plugin("a/two.py", "two")
    plugins.manifest("a/plugin.toml", "a")
    problem = plugins.only_problem()
    assert "one.py, two.py" in problem.message
    assert 'path = "./one.py"' in problem.cure


@pytest.mark.parametrize("name", ["pipe.py", "pipe.toml", "pipe.ipynb"])
def test_a_fifo_is_a_problem_and_does_not_block(plugins, name):
    os.mkfifo(plugins.path / name)
    if name.endswith(".toml"):
        plugins.write("pipe.py", ENTRY)
    assert "fifo" in plugins.only_problem().message


def test_a_device_is_a_problem(plugins):
    (plugins.path / "zero.py").symlink_to("/dev/zero")
    assert "device" in plugins.only_problem().message


def test_a_file_that_can_not_be_read_is_a_problem(plugins):
    # Reading the memory of a process from its start fails for every user, root included.
    (plugins.path / "secret.py").symlink_to("/proc/self/mem")
    assert "can't be read" in plugins.only_problem().message


@contextmanager
def _as_ordinary_user():
    """Root may read everything, so it becomes nobody for a moment."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def public_folder():
    # The folders that pytest makes are closed to everyone but its own user.
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield PluginFolder(Path(name))


def test_a_file_without_permission_is_a_problem(public_folder):
    public_folder.plugin("secret.py", "secret").chmod(0)
    with _as_ordinary_user():
        problem = public_folder.only_problem()
    assert "Permission denied" in problem.message


@pytest.mark.parametrize("recursive", [True, False])
def test_a_folder_without_permission_is_a_problem(public_folder, recursive):
    public_folder.plugin("closed/a.py", "a")
    (public_folder.path / "closed").chmod(0)
    with _as_ordinary_user():
        (problem,) = public_folder.discover(recursive=recursive).problems
    assert "Permission denied" in problem.message
    assert problem.location.path.name == "closed"


def test_a_link_to_nothing_is_a_problem(plugins):
    (plugins.path / "gone.py").symlink_to("nowhere.py")
    assert plugins.only_problem().location.path.name == "gone.py"


@pytest.mark.parametrize("recursive", [True, False])
@pytest.mark.parametrize("target", [".", "..", "/"])
def test_a_link_to_a_folder_above_is_a_problem_and_not_followed(plugins, target, recursive):
    plugins.plugin("good.py", "good")
    (plugins.path / "loop").symlink_to(target)
    result = plugins.discover(recursive=recursive)
    assert [d.id for d in result.descriptors] == ["good"]
    (problem,) = result.problems
    assert problem.location.path.name == "loop"


def test_a_link_to_itself_is_a_problem(plugins):
    (plugins.path / "loop").symlink_to("loop")
    assert plugins.only_problem().location.path.name == "loop"


def test_a_loop_further_down_is_found(plugins):
    (plugins.path / "a" / "b").mkdir(parents=True)
    (plugins.path / "a" / "b" / "back").symlink_to(plugins.path / "a")
    (problem,) = plugins.discover(recursive=True).problems
    assert problem.location.path.name == "back"


def test_a_folder_that_two_links_lead_to_is_searched_once(plugins):
    plugins.plugin("real/a.py", "a")
    (plugins.path / "other").symlink_to("real")
    result = plugins.discover(recursive=True)
    assert [d.id for d in result.descriptors] == ["a"]
    assert result.problems == ()


def test_a_large_data_file_beside_the_plugins_is_not_a_problem(plugins):
    plugins.write("data.json", '{"id": "x", "rows": "' + "x" * 2_000_000 + '"}')
    assert plugins.discover().problems == ()


def test_an_odd_escape_in_a_source_is_no_warning_of_ours(plugins):
    plugins.write("a.py", GOOD + "x = '\\d'\n")
    assert plugins.ids() == ["bad"]
