"""Where the commands look for plugins."""

from __future__ import annotations

import json

import pytest

from nebula_lab.cli.failing import ExitCode


def ids(done):
    return [plugin["id"] for plugin in json.loads(done.out)]


@pytest.fixture
def elsewhere(plugin_file):
    return plugin_file("other", "def plugin_entry(): ...", folder="others").parent


def test_the_nearest_configuration_at_or_above_the_working_folder_is_taken(
    call, tool, tmp_path, monkeypatch
):
    (tmp_path / "plugin_resource.toml").write_text('plugin_dir = "plugins"\n')
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    assert ids(call("list", "--json")) == ["tool"]


def test_without_one_the_folder_plugins_is_taken(call, tool, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert ids(call("list", "--json")) == ["tool"]


def test_without_either_the_options_are_named(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call("list")
    assert (done.code, "--plugin-dir" in done.err) == (ExitCode.USAGE, True)


def test_a_folder_that_is_given_goes_before_the_configurations(call, tool, elsewhere, tmp_path):
    document = tmp_path / "plugin_resource.json"
    document.write_text(json.dumps({"plugin_dir": str(tool)}))
    done = call("list", "--config", document, "--plugin-dir", elsewhere, "--json")
    assert ids(done) == ["other"]


def test_a_folder_that_is_given_goes_before_other_ways_of_discovery(call, elsewhere, tmp_path):
    document = tmp_path / "plugin_resource.json"
    document.write_text(json.dumps({"discovery": {"type": "EntryPoints"}}))
    done = call("list", "--config", document, "--plugin-dir", elsewhere, "--json")
    assert ids(done) == ["other"]


def test_a_wrong_configuration_is_wrong_usage_with_file_and_line(call, tmp_path):
    document = tmp_path / "plugin_resource.yaml"
    document.write_text("plugin_dir: .\ntimout: 3\n")
    done = call("list", "--config", document)
    assert done.code == ExitCode.USAGE
    assert f"{document}:2" in done.err
    assert "timeout" in done.err


def test_a_folder_that_is_not_there_is_wrong_usage(call, tmp_path):
    assert call("list", "--plugin-dir", tmp_path / "gone").code == ExitCode.USAGE


def test_check_takes_one_folder_only(call, tool):
    assert call("check", tool, "--plugin-dir", tool).code == ExitCode.USAGE
