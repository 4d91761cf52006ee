"""`nebula-lab doctor`."""

from __future__ import annotations

import json

import pytest

from nebula_lab.cli.failing import ExitCode
from nebula_lab.confine.machine import Machine, Mechanism
from nebula_lab.sandbox import probing


@pytest.fixture
def without(monkeypatch):
    """Has this machine lack something, as far as anybody is told."""

    def lack(*missing):
        mechanisms = {
            name: Mechanism(name not in missing, "", "" if name not in missing else f"Get {name}.")
            for name in Machine.__struct_fields__
        }
        monkeypatch.setattr(probing, "_probe", lambda: Machine(**mechanisms))

    return lack


@pytest.fixture
def quick(monkeypatch):
    """Starts nothing, nor asks other programs: all that has tests of its own."""
    module = "nebula_lab.doctor.examining"
    monkeypatch.setattr(f"{module}.start", lambda config, machine: ())
    monkeypatch.setattr(f"{module}.environments", tuple)
    monkeypatch.setattr(f"{module}.containers", lambda config: ())


def test_it_ends_with_its_conclusion(call, tool):
    done = call("doctor", "--plugin-dir", tool)
    assert done.out.splitlines()[-1].startswith("Plugins ")
    assert "plugins' processes  yes" in done.out
    told = {line.partition("  ")[0] for line in done.out.splitlines()}
    assert {"Python", "uv", "Pythons", "containers"} <= told


@pytest.mark.usefixtures("quick")
def test_a_machine_that_has_everything_ends_with_0(call, tool, without):
    without()
    done = call("doctor", "--plugin-dir", tool)
    assert (done.code, done.out.splitlines()[-1]) == (
        ExitCode.FINE,
        "Plugins can be confined here; nothing is missing.",
    )


@pytest.mark.usefixtures("quick")
def test_a_gap_ends_with_3_and_is_told_with_its_cure(call, tool, without):
    without("seccomp")
    done = call("doctor", "--plugin-dir", tool)
    assert done.code == ExitCode.PROBLEMS_FOUND
    assert "✗ A plugin can start other processes" in done.out
    assert "Get seccomp." in done.out


@pytest.mark.usefixtures("quick")
def test_as_json_it_has_mechanisms_rights_and_findings(call, tool, without):
    without("seccomp")
    found = json.loads(call("doctor", "--plugin-dir", tool, "--json").out)
    assert found["well"] is False
    assert found["mechanisms"]["seccomp"] == {"works": False, "detail": "", "cure": "Get seccomp."}
    assert set(found["rights"]) == {"nothing", "named", "everything"}
    enforced = {one["name"]: one["enforced"] for one in found["rights"]["nothing"]}
    assert (enforced["processes"], enforced["files"]) == ("none", "kernel")
    assert {"name", "verdict", "detail", "cure"} == set(found["findings"][0])


@pytest.mark.usefixtures("quick")
def test_a_broken_configuration_is_among_what_is_found(call, tmp_path, without):
    without()
    document = tmp_path / "config.yaml"
    document.write_text("plugin_dri: x\n")
    done = call("doctor", "--config", document)
    assert done.code == ExitCode.PROBLEMS_FOUND
    assert f"({document}:1)" in done.out
    assert "Mechanisms, as they were tried" in done.out


@pytest.mark.usefixtures("quick")
def test_where_there_are_no_plugins_it_looks_at_the_machine(call, tmp_path, monkeypatch, without):
    without()
    monkeypatch.chdir(tmp_path)
    done = call("doctor")
    assert (done.code, "no plugins" in done.out) == (ExitCode.FINE, True)


def test_of_one_plugin_it_says_what_it_has_and_what_it_asks_for_in_vain(call, plugin_file):
    rights = {"capabilities": ["Network", "SystemCalls"]}
    folder = plugin_file("it", "def plugin_entry(): ...", security=rights).parent
    done = call("doctor", "--plugin-dir", folder, "it")
    assert "network         everyone" in done.out
    assert "it asks for SystemCalls in capabilities" in done.out
    assert "Add it to security.capabilities" in done.out


def test_of_one_plugin_that_is_not_run_it_says_why_and_ends_with_3(call, plugin_file, without):
    without("namespaces")
    folder = plugin_file("it", "", security={"capabilities": ["FileSystem"]}).parent
    done = call("doctor", "--plugin-dir", folder, "it")
    assert "It is not run here as long as that is so" in done.out
    assert done.code == ExitCode.PROBLEMS_FOUND


def test_one_plugin_as_json(call, plugin_file):
    rights = {"capabilities": ["FileSystem", "SystemCalls"], "allowed_paths": ["/srv"]}
    folder = plugin_file("it", "", security=rights).parent
    found = json.loads(call("doctor", "--plugin-dir", folder, "it", "--json").out)
    assert found["capabilities"] == ["FileSystem"]
    assert (found["allowed_paths"], found["allowed_hosts"]) == (["/srv:ro"], None)
    assert [one["items"] for one in found["refused"]] == [["SystemCalls"]]
    assert {one["name"] for one in found["measures"]} >= {"network", "files", "variables"}


def test_a_plugin_that_is_not_there_is_wrong_usage(call, tool):
    assert call("doctor", "--plugin-dir", tool, "tol").code == ExitCode.USAGE


def test_without_strict_the_command_line_warns_on_stderr(call, tool, tmp_path, without):
    without("seccomp")
    document = tmp_path / "config.json"
    document.write_text(json.dumps({"plugin_dir": str(tool), "security": {"strict": False}}))
    done = call("list", "--config", document)
    assert "tool can use raw and Unix sockets" in done.err
    assert "Get seccomp." in done.err
