"""Plugins that end, stop or block themselves, and processes that they leave behind."""

from __future__ import annotations

import os
import signal

import pytest
from attack_stage import users
from attacks import ATTACKS
from siege import Siege, themed

DEADLINE = 1.0
# What has to be killed, since it does not stop by itself.
ENDS_BY_DEADLINE = {"stopped", "deaf"}


@pytest.mark.parametrize("name", themed("endings"))
def test_its_host_alone_pays_for_it(siege, name):
    expected = ATTACKS[name].after
    timeout = DEADLINE if expected in ENDS_BY_DEADLINE else 30.0
    outcome = siege.attempt(name, timeout=timeout)
    assert not outcome["succeeded"], outcome
    if expected in ENDS_BY_DEADLINE:
        assert outcome["error"] == "PluginTimeoutError", outcome
    else:
        assert outcome["error"] == "PluginCrashedError", outcome
    if expected.startswith("SIG"):
        assert outcome["ended"] == expected
    assert len(siege.ask("ping")) == 2


@pytest.mark.parametrize("name", themed("leftovers"))
def test_a_plugin_that_may_start_nothing_leaves_nothing(siege, name):
    outcome = siege.attempt(name)
    assert not outcome["succeeded"], outcome
    assert siege.stage.daemons() == []


@pytest.mark.parametrize("name", themed("leftovers"))
def test_what_a_plugin_may_start_ends_when_it_is_unloaded(siege, name, wait_until):
    outcome = siege.attempt(name, plugin="spawner")
    assert outcome["succeeded"], outcome
    wait_until(siege.stage.daemons, "the daemon is there")
    siege.ask("unload", plugin="spawner")
    wait_until(lambda: not siege.stage.daemons(), "the daemon is gone")


@pytest.mark.parametrize("ending", ["exit_hard", "kill_itself", "crash_in_c"])
def test_what_a_plugin_may_start_ends_with_its_host(siege, ending, wait_until):
    assert siege.attempt("daemon", plugin="spawner")["succeeded"]
    wait_until(siege.stage.daemons, "the daemon is there")
    siege.attempt(ending, plugin="spawner")
    wait_until(lambda: not siege.stage.daemons(), "the daemon is gone")
    assert len(siege.ask("ping")) == 2


@pytest.mark.parametrize("uid", users().values(), ids=users())
def test_what_a_plugin_may_start_ends_with_a_manager_that_is_killed(uid, wait_until):
    siege = Siege(uid)
    try:
        assert siege.attempt("daemon", plugin="spawner")["succeeded"]
        wait_until(siege.stage.daemons, "the daemon is there")
        os.kill(siege.pid, signal.SIGKILL)
        wait_until(lambda: not siege.stage.daemons(), "the daemon is gone")
    finally:
        wait_until(lambda: not siege._processes(), "nothing of it is left")
        wait_until(lambda: not siege.run_folders(), "its folders are gone")
        siege.close()
