"""A save of a suspended plugin: tried at once, with the old code to go on with if it fails."""

from __future__ import annotations

import threading

import pytest

from nebula_lab.errors import PluginError
from nebula_lab.model import PluginState
from nebula_lab.model.events import PluginReloaded, ReloadFailed
from nebula_lab.views import news_view

UNTAKEN = "raise LookupError('no import')"
FAILING = """
class It(It):
    def self_test(self): raise LookupError('no test')
def plugin_entry():
    return It()
"""
UNRESTORABLE = """
class It(It):
    def restore_state(self, state): raise LookupError('no state')
def plugin_entry():
    return It()
"""


def state(plugins) -> PluginState:
    return next(one.state for one in plugins.list_plugins() if one.id == "one")


def version(plugins) -> str:
    return str(plugins.descriptor("one").version)


@pytest.fixture
def plugins(live):
    """A plugin that is watched and suspended, with a count of 1."""
    live.write("one")
    plugins = live.open()
    assert plugins["one"].up() == [1, 1]
    live.watch()
    plugins.suspend_plugin("one")
    return plugins


def save(live, answer: object, *, top: str = "", below: str = "") -> None:
    """Save 2.0.0 of the plugin."""
    live.write("one", answer, top=top, below=below, version="2.0.0")


BROKEN = [
    ("no import", {"top": UNTAKEN}),
    ("no test", {"below": FAILING}),
    ("no state", {"below": UNRESTORABLE}),
    ("invalid syntax", {"top": "def ("}),
]


@pytest.mark.parametrize(("reason", "how"), BROKEN, ids=[reason for reason, _ in BROKEN])
def test_a_broken_save_is_told_at_once_and_the_next_call_has_the_old_code(
    live, plugins, reason, how
):
    change = live.saved("one", save, live, 2, **how)
    assert reason in str(change.error)
    assert (state(plugins), version(plugins)) == (PluginState.SUSPENDED, "1.0.0")
    failed = live.wait_for(ReloadFailed, "one")
    assert (failed.goes_on, failed.cause) == (True, "saved")
    assert plugins["one"].up() == [1, 2]
    assert plugins["one"].up() == [1, 3]


def test_the_next_save_tries_again(live, plugins):
    live.saved("one", save, live, 2, top=UNTAKEN)
    change = live.saved("one", save, live, 3)
    assert (change.error, state(plugins)) == (None, PluginState.SUSPENDED)
    assert plugins["one"].up() == [3, 2]


def test_the_banner_of_a_broken_save_says_that_the_old_one_is_suspended(live, plugins):
    change = live.saved("one", save, live, 2, top=UNTAKEN)
    assert "one 1.0.0 stays suspended, and goes on with its next call" in news_view(change).text


def test_the_banner_of_a_good_save_says_that_it_is_suspended_again(live, plugins):
    change = live.saved("one", save, live, 2)
    text = news_view(change).text
    assert "one 2.0.0 came up with new one.py" in text
    assert "suspended again until its next call" in text
    assert live.count(PluginReloaded, "one") == 1
    assert plugins["one"].up() == [2, 2]


def test_calls_that_come_while_it_is_tried_have_the_old_code(live, plugins, tmp_path):
    began, gate = tmp_path / "began", tmp_path / "gate"
    wait = (
        f"import pathlib, time; pathlib.Path({str(began)!r}).touch()\n"
        f"        while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.002)"
    )

    def save_and_call() -> None:
        live.write("one", 2, initialize=wait)
        while not began.exists():
            threading.Event().wait(0.002)
        assert plugins["one"].up() == [1, 2]
        gate.touch()

    assert live.saved("one", save_and_call).error is None
    assert state(plugins) is PluginState.ACTIVE  # somebody uses it
    assert plugins["one"].up() == [2, 3]


def test_a_reload_by_hand_of_broken_code_leaves_the_old_one_serving(live, plugins):
    with plugins.hold_watch():
        save(live, 2, top=UNTAKEN)
        with pytest.raises(PluginError, match="no import"):
            plugins.reload_plugin("one")
        assert (state(plugins), version(plugins)) == (PluginState.LOADED, "1.0.0")
        assert plugins["one"].up() == [1, 2]


def test_a_reload_by_hand_of_good_code_brings_it_up(live, plugins):
    with plugins.hold_watch():
        save(live, 2)
        plugins.reload_plugin("one")
        assert state(plugins) is PluginState.LOADED
        assert plugins["one"].up() == [2, 2]


def test_one_whose_old_code_needs_what_fails_now_is_not_kept_from_new_code(live):
    live.write("base")
    live.write("one", dependencies=["base"])
    plugins = live.open()
    assert plugins["one"].up() == [1, 1]
    plugins.watch(False)
    plugins.suspend_plugin("one")
    plugins.unload_plugin("base")
    live.write("base", initialize="raise LookupError('no base')")
    live.write("one", 2)
    plugins.reload_plugin("one")
    assert plugins["one"].up() == [2, 2]


def test_neither_comes_up_where_both_need_what_fails_and_the_old_one_is_kept(live):
    live.write("base")
    live.write("one", dependencies=["base"])
    plugins = live.open()
    assert plugins["one"].up() == [1, 1]
    plugins.watch(False)
    plugins.suspend_plugin("one")
    plugins.unload_plugin("base")
    live.write("base", initialize="raise LookupError('no base')")
    live.write("one", 2, version="2.0.0", dependencies=["base"])
    with pytest.raises(PluginError, match="no base"):
        plugins.reload_plugin("one")
    assert (state(plugins), version(plugins)) == (PluginState.SUSPENDED, "1.0.0")
    live.write("base")
    assert plugins["one"].up() == [1, 2]
