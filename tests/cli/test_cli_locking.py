"""`nebula-lab lock`, `why` and `--locked`."""

from __future__ import annotations

import json

import pytest

from nebula_lab.cli.failing import ExitCode


@pytest.fixture
def folder(plugin_file):
    def put(name, plugin_id, version, *needs):
        path = plugin_file(
            plugin_id, "def plugin_entry(): ...", version=version, dependencies=needs
        )
        return path.replace(path.with_name(f"{name}.py"))

    put("core_1", "core", "1.0.0")
    put("core_2", "core", "2.0.0")
    return put("app", "app", "1.0.0", "core ^1").parent


def test_lock_writes_what_was_chosen_beside_the_folder(call, folder):
    done = call("lock", "--plugin-dir", folder)
    assert (done.code, done.out.splitlines()[:2]) == (0, ["+ app 1.0.0", "+ core 1.0.0"])
    assert 'id = "core"\nversion = "1.0.0"' in (folder.parent / "nebula.lock").read_text()


def test_lock_check_tells_whether_the_lock_is_up_to_date(call, folder):
    assert call("lock", "--check", "--plugin-dir", folder).code == ExitCode.PROBLEMS_FOUND
    assert not (folder.parent / "nebula.lock").exists()
    call("lock", "--plugin-dir", folder)
    assert call("lock", "--check", "--plugin-dir", folder).code == ExitCode.FINE


def test_lock_check_of_no_plugins_finds_nothing_wrong(call, tmp_path):
    (tmp_path / "empty").mkdir()
    done = call("lock", "--check", "--plugin-dir", tmp_path / "empty")
    assert (done.code, done.out, done.err) == (
        ExitCode.FINE,
        "There are no plugins to lock.\n",
        "",
    )


def test_lock_names_what_it_can_not_lock(call, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "counter.py").write_text("PLUGIN_METADATA = {'id': 'counter'}\n")
    for words in (["--check"], []):
        done = call("lock", *words, "--plugin-dir", broken)
        assert "not up to date" not in done.err
        assert "Not locked:" in done.err
        assert "counter" in done.err
        assert done.code == (ExitCode.PROBLEMS_FOUND if words else ExitCode.FINE)


def test_lock_names_what_it_locks_and_can_not_be_used(call, folder, plugin_file):
    plugin_file("other", "def plugin_entry(): ...", dependencies=["core ^2"])
    said = call("lock", "--plugin-dir", folder).err
    assert "Locked, though it can't be used as it is:" in said
    assert "other: " in said
    assert "core ^2" in said
    assert "app: " not in said


def test_lock_names_plugins_for_upgrades_only(call, folder):
    assert call("lock", "core", "--plugin-dir", folder).code == ExitCode.USAGE
    assert call("lock", "--upgrade", "cor", "--plugin-dir", folder).code == ExitCode.USAGE
    assert call("lock", "--upgrade", "core", "--plugin-dir", folder).code == ExitCode.FINE


def test_a_locked_command_refuses_what_has_changed(call, folder):
    call("lock", "--plugin-dir", folder)
    assert call("list", "--locked", "--plugin-dir", folder).code == ExitCode.FINE
    file = folder / "core_1.py"
    file.write_text(f"{file.read_text()}\n# changed\n")
    done = call("list", "--locked", "--plugin-dir", folder)
    assert done.code == ExitCode.PROBLEMS_FOUND
    assert "core 1.0.0 has other files than when it was locked" in done.err


def test_a_locked_command_without_a_lock_is_wrong_usage(call, folder):
    done = call("list", "--locked", "--plugin-dir", folder)
    assert done.code == ExitCode.USAGE
    assert "nebula-lab lock" in done.err


def test_why_says_who_holds_a_version_back(call, folder):
    done = call("why", "core", "--plugin-dir", folder)
    assert "core 1.0.0 is used" in done.out
    assert "app asks for ^1" in done.out
    assert "Version 2.0.0 is not used" in done.out


def test_why_is_json_for_programs(call, folder):
    document = json.loads(call("why", "core", "--json", "--plugin-dir", folder).out)
    assert document["asked_by"][0]["dependent"] == "app"
    assert document["not_taken"][0]["version"] == "2.0.0"
