"""A save is a reload: with the state, or with the old code and the reason."""

from __future__ import annotations

import os
import shutil
import threading

import pytest

from nebula_lab.errors import NotFoundError
from nebula_lab.model import PluginState
from nebula_lab.model.events import (
    PluginDiscovered,
    PluginReloaded,
    PluginRemoved,
    ReloadFailed,
    SavedChange,
    WatchNoted,
)


def info(plugins, plugin_id="one"):
    return {info.id: info for info in plugins.list_plugins()}[plugin_id]


@pytest.fixture(params=["None", "Process"])
def either(request, live):
    """A plugin that is loaded and watched, in each sandbox."""
    live.write("one")
    plugins = live.open(request.param)
    assert plugins["one"].up() == [1, 1]
    live.watch()
    return plugins


@pytest.fixture
def plugins(live):
    """A plugin that is loaded and watched."""
    live.write("one")
    plugins = live.open()
    assert plugins["one"].up() == [1, 1]
    return live.watch()


def test_a_save_brings_new_code_with_the_state(live, either):
    change = live.saved("one", live.write, "one", 2, version="1.1.0")
    assert (change.error, change.files, str(change.version)) == (None, ("one.py",), "1.1.0")
    assert either["one"].up() == [2, 2]
    assert info(either).reload_count == 1


def test_a_broken_save_leaves_the_old_code_serving_and_says_why(live, either):
    change = live.saved("one", live.write, "one", 2, top="raise LookupError('sought in vain')")
    assert "sought in vain" in str(change.error)
    assert either["one"].up() == [1, 2]
    assert live.count(ReloadFailed, "one") == 1


def test_the_next_save_tries_again(live, plugins):
    live.saved("one", live.write, "one", 2, top="def (")
    change = live.saved("one", live.write, "one", 3)
    assert change.error is None
    assert plugins["one"].up() == [3, 2]


def test_a_known_plugin_whose_file_no_longer_parses_is_no_deletion(live, plugins):
    change = live.saved("one", (live.folder / "one.py").write_text, "def (")
    assert "invalid syntax" in str(change.error)
    live.settle()
    plugins.rediscover()
    assert info(plugins).state is PluginState.ACTIVE


def test_a_broken_save_that_is_taken_back_is_told_and_reloads_nothing(live, plugins):
    text = (live.folder / "one.py").read_text()
    live.saved("one", (live.folder / "one.py").write_text, "def (")
    change = live.saved("one", (live.folder / "one.py").write_text, text)
    assert (change.error, change.reloaded) == (None, False)
    assert info(plugins).reload_count == 0


def test_a_touch_reloads_nothing(live, plugins):
    os.utime(live.folder / "one.py")
    live.settle()
    assert info(plugins).reload_count == 0


def test_a_reload_by_hand_after_the_save_is_the_only_one(live, plugins):
    live.write("one", 2)
    plugins.reload_plugin("one")
    live.settle()
    assert info(plugins).reload_count == 1


def test_a_save_that_comes_during_a_reload_is_taken_after_it(live, plugins, tmp_path):
    began, gate = tmp_path / "began", tmp_path / "gate"
    wait = (
        f"import pathlib, time; pathlib.Path({str(began)!r}).touch()\n"
        f"        while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.002)"
    )
    live.write("one", 2, initialize=wait)
    while not began.exists():
        threading.Event().wait(0.002)
    for answer in range(3, 8):
        live.write("one", answer)
    live.settle()
    before = len(live.events)
    gate.touch()
    live.wait_for(SavedChange, "one", after=before)
    told = len(live.events)
    while plugins["one"].up()[0] != 7:
        live.wait_for(SavedChange, "one", after=told)
        told = len(live.events)
    live.settle()  # the last of it may not have been told yet
    assert live.count(PluginReloaded, "one") == 2


def test_what_a_plugin_prints_while_it_is_reloaded_is_under_no_cell(live):
    live.write("one")
    plugins = live.open("Process")
    plugins.load_plugin("one")
    live.watch()
    live.saved("one", live.write, "one", 2, initialize="print('loud')")
    assert "loud" not in live.shown.text
    assert any("loud" in line.text for line in plugins.logs("one"))


def test_a_suspended_plugin_stays_so_and_comes_back_with_the_new_code(live, plugins):
    plugins.suspend_plugin("one")
    live.saved("one", live.write, "one", 2)
    assert info(plugins).state is PluginState.SUSPENDED
    assert plugins["one"].up() == [2, 2]


def test_a_plugin_that_could_not_be_loaded_is_loaded_when_it_is_mended(live, plugins):
    live.write("other", initialize="raise LookupError('no')")
    live.wait_for(PluginDiscovered, "other")
    with pytest.raises(Exception, match="no"):
        plugins.load_plugin("other")
    live.settle()
    assert live.count(SavedChange, "other") == 0
    live.saved("other", live.write, "other", 2)
    assert info(plugins, "other").state is PluginState.LOADED


def test_changes_under_hold_watch_are_left_to_whoever_holds_it(live, plugins):
    with plugins.hold_watch():
        live.write("one", 2)
        plugins.reload_plugin("one")
    live.settle()
    assert (info(plugins).reload_count, live.count(SavedChange, "one")) == (1, 0)


def test_to_sign_a_plugin_reloads_nothing_where_no_signature_is_asked_for(live, plugins):
    (live.folder / "one.sums").write_text("anything")
    (live.folder / "one.sums.sig").write_text("anything")
    live.settle()
    assert info(plugins).reload_count == 0


# What plugins there are


def test_a_new_plugin_appears(live, plugins):
    live.write("fresh", 5)
    found = live.wait_for(PluginDiscovered, "fresh")
    assert found.path == live.folder / "fresh.py"
    assert plugins["fresh"].up() == [5, 1]


def test_a_plugin_that_is_not_loaded_is_read_anew(live, plugins):
    live.write("fresh", 5)
    live.wait_for(PluginDiscovered, "fresh")
    live.write("fresh", 5, version="2.0.0")
    live.settle()
    assert str(info(plugins, "fresh").version) == "2.0.0"


def test_a_deleted_plugin_is_unloaded(live, plugins):
    (live.folder / "one.py").unlink()
    assert live.wait_for(PluginRemoved, "one").state_kept
    assert "one" not in plugins
    with pytest.raises(NotFoundError):
        plugins["one"].up()


def test_a_deleted_plugin_that_comes_back_elsewhere_has_its_state(live, plugins):
    (live.folder / "one.py").unlink()
    live.wait_for(PluginRemoved, "one")
    live.write("elsewhere", 2, plugin_id="one")
    live.wait_for(PluginDiscovered, "one")
    assert plugins["one"].up() == [2, 2]


def test_a_renamed_plugin_goes_on_with_its_state(live, plugins):
    live.saved("one", (live.folder / "one.py").rename, live.folder / "two.py")
    assert info(plugins).path == live.folder / "two.py"
    assert plugins["one"].up() == [1, 2]
    live.saved("one", live.write, "two", 3, plugin_id="one")
    assert plugins["one"].up() == [3, 3]
    assert live.count(PluginRemoved, "one") == 0


@pytest.fixture
def needed(live):
    """A plugin that another one needs; both are loaded and watched."""
    live.write("one")
    live.write("user", dependencies=["one"])
    plugins = live.open()
    plugins.load_plugin("user")
    return live.watch()


def test_a_deleted_plugin_that_others_need_goes_on_and_is_a_problem(live, needed):
    (live.folder / "one.py").unlink()
    assert "user" in live.wait_for(WatchNoted, "one").message
    assert needed["one"].up() == [1, 1]
    (problem,) = [problem for problem in needed.problems if problem.plugin_id == "one"]
    assert "its file is gone" in str(problem)


def test_it_is_unloaded_when_nobody_needs_it_any_more(live, needed):
    (live.folder / "one.py").unlink()
    live.wait_for(WatchNoted, "one")
    needed.unload_plugin("user")
    live.wait_for(PluginRemoved, "one")
    assert "one" not in needed


def test_it_is_no_problem_any_more_when_its_file_is_back(live, needed):
    text = (live.folder / "one.py").read_text()
    (live.folder / "one.py").unlink()
    live.wait_for(WatchNoted, "one")
    (live.folder / "one.py").write_text(text)
    live.settle()
    assert not [problem for problem in needed.problems if problem.plugin_id == "one"]
    assert needed["one"].up() == [1, 1]


def test_what_is_loaded_goes_on_while_the_folder_is_gone(live, plugins, tmp_path):
    live.folder.rename(tmp_path / "away")
    live.wait_for(WatchNoted)
    assert plugins["one"].up() == [1, 2]
    (tmp_path / "away").rename(live.folder)
    live.settle()
    live.saved("one", live.write, "one", 2)
    assert plugins["one"].up() == [2, 3]


def test_a_manifest_that_is_edited_resolves_the_graph_anew(live, plugins):
    pack = live.folder / "pack"
    pack.mkdir()
    source = live.write("pack_source").read_text()
    (live.folder / "pack_source.py").unlink()
    (pack / "__init__.py").write_text(source.replace("PLUGIN_METADATA", "_NOT"))
    manifest = pack / "plugin.toml"
    manifest.write_text('id = "pack"\nversion = "1.0.0"\n')
    live.wait_for(PluginDiscovered, "pack")
    assert plugins["pack"].up() == [1, 1]
    text = 'id = "pack"\nversion = "1.1.0"\n[[dependencies]]\nplugin_id = "one"\n'
    change = live.saved("pack", manifest.write_text, text + 'version_req = ">=1.0"\n')
    assert (change.error, change.files) == (None, ("pack/plugin.toml",))
    assert list(plugins.graph.successors("pack")) == ["one"]
    assert plugins["pack"].up() == [1, 2]


def test_a_save_that_was_refused_for_another_is_tried_again_when_that_has_changed(live, needed):
    refused = live.saved("user", live.write, "user", 2, dependencies=["one >=2.0"])
    assert "one" in str(refused.error)
    before = len(live.events)
    live.saved("one", live.write, "one", 2, version="2.0.0")
    assert live.wait_for(SavedChange, "user", after=before).error is None
    assert needed["user"].up() == [2, 1]


def test_a_list_of_plugins_that_is_edited_is_read_anew(live, tmp_path):
    live.write("one")
    live.write("two")
    listing = tmp_path / "list.toml"
    entry = '[[plugins]]\npath = "./plugins/{}.py"\n'
    listing.write_text(entry.format("one") + entry.format("mark"))
    plugins = live.open(discovery={"type": "Manifest", "path": listing}, plugin_dir=None)
    live.watch()
    assert "two" not in plugins
    listing.write_text(listing.read_text() + entry.format("two"))
    live.wait_for(PluginDiscovered, "two")
    live.saved("mark", live.write, "mark", 2)
    shutil.copy(live.folder / "one.py", tmp_path)  # beside the list, and none of it
    live.settle()
    assert set(plugins) == {"mark", "one", "two"}
