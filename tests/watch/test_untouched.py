"""What nobody has saved stays as it is, whatever becomes of the plugins beside it."""

from __future__ import annotations

import pytest

from nebula_lab.model.events import PluginDiscovered, PluginRemoved, ReloadFailed, SavedChange


@pytest.fixture
def rolled_back(live, wait_until):
    """A plugin whose 2.0.0 has been rolled back to 1.0.0, beside another one."""
    live.write("one")
    live.write("beside")
    plugins = live.open()
    plugins.load_plugin("one")
    plugins.load_plugin("beside")
    wait_until(lambda: plugins.plugin_history("one"), "it is noted")
    live.watch()
    live.saved("one", live.write, "one", 2, version="2.0.0")
    plugins.rollback_plugin("one", "1.0.0")
    return plugins


def test_a_rollback_outlasts_a_plugin_that_appears(live, rolled_back):
    live.write("fresh")
    live.wait_for(PluginDiscovered, "fresh")
    live.settle()
    assert rolled_back["one"].up() == [1, 1]


def test_a_rollback_outlasts_a_plugin_that_is_deleted(live, rolled_back):
    (live.folder / "beside.py").unlink()
    live.wait_for(PluginRemoved, "beside")
    live.settle()
    assert rolled_back["one"].up() == [1, 1]


def test_a_rollback_outlasts_a_suspension_and_a_touch(live, rolled_back):
    rolled_back.suspend_plugin("one")
    (live.folder / "one.py").touch()
    live.write("fresh")
    live.wait_for(PluginDiscovered, "fresh")
    live.settle()
    assert rolled_back["one"].up() == [1, 1]


def test_the_next_save_brings_back_what_it_has(live, rolled_back):
    live.saved("one", live.write, "one", 3, version="2.0.0")
    assert rolled_back["one"].up() == [3, 1]


def test_a_rollback_outlasts_that_what_a_refused_save_lacked_appears(live, wait_until):
    live.write("one")
    plugins = live.open()
    plugins.load_plugin("one")
    wait_until(lambda: plugins.plugin_history("one"), "it is noted")
    live.watch()
    live.saved("one", live.write, "one", 2, version="2.0.0")
    assert live.saved("one", live.write, "one", 3, version="3.0.0", dependencies=["fresh"]).error
    plugins.rollback_plugin("one", "1.0.0")
    live.write("fresh")
    live.wait_for(PluginDiscovered, "fresh")
    live.settle()
    assert plugins["one"].up() == [1, 1]


def test_a_version_that_failed_is_not_tried_again_for_a_plugin_that_appears(live):
    live.write("one")
    plugins = live.open()
    plugins.load_plugin("one")
    live.watch()
    live.saved("one", live.write, "one", 2, version="2.0.0", top="raise LookupError('no')")
    for name in ("fresh", "second"):
        live.write(name)
        live.wait_for(PluginDiscovered, name)
        live.settle()
    assert live.count(ReloadFailed, "one") == live.count(SavedChange, "one") == 1


def test_one_that_was_refused_is_tried_again_once_what_it_lacks_appears(live):
    live.write("one")
    plugins = live.open()
    plugins.load_plugin("one")
    live.watch()
    refused = live.saved("one", live.write, "one", 2, dependencies=["second"])
    assert "second" in str(refused.error)
    live.write("first")
    live.wait_for(PluginDiscovered, "first")
    live.settle()
    assert live.count(SavedChange, "one") == 1  # it still lacks the same
    change = live.saved("one", live.write, "second")
    assert change.error is None
    assert plugins["one"].up() == [2, 1]
