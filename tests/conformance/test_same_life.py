"""Code changes, state stays, and health is told, in every sandbox."""

from __future__ import annotations

import pytest

from nebula_lab import PluginState
from nebula_lab.errors import LoadFailedError, PluginError
from nebula_lab.plugin import HealthState

VERSION = '"version": "1.0.0"'


@pytest.fixture
def fresh(lab):
    """`everything`, with nothing counted."""
    lab.undo()
    lab.plugins.unload_plugin("everything", cascade=True)
    lab.plugins.load_plugin("everything")
    return lab


def test_state_lives_from_call_to_call(fresh):
    assert [fresh.ask("count_up") for _ in range(3)] == [1, 2, 3]


def test_state_outlives_a_reload(fresh):
    fresh.ask("count_up")
    fresh.edit("return self.count\n", "return self.count * 100\n")
    fresh.plugins.reload_plugin("everything")
    assert fresh.ask("count_up") == 200


def test_code_that_can_not_be_read_leaves_the_old_one_running(fresh):
    fresh.ask("count_up")
    fresh.edit("def count_up(self)", "def count_up(self")
    with pytest.raises(PluginError, match=r"everything\.py"):
        fresh.plugins.reload_plugin("everything")
    fresh.undo()
    assert fresh.ask("count_up") == 2


def test_code_that_fails_its_self_test_leaves_the_old_one_running(fresh):
    fresh.ask("count_up")
    failing = "    def self_test(self):\n        raise ValueError('not good enough')\n\n"
    fresh.edit("    # Values\n", f"{failing}    # Values\n")
    with pytest.raises(PluginError, match="not good enough"):
        fresh.plugins.reload_plugin("everything")
    fresh.undo()
    assert fresh.ask("count_up") == 2


def test_a_version_can_be_gone_back_to(fresh):
    fresh.edit(VERSION, '"version": "1.1.0"')
    fresh.edit("return a + b", "return a - b")
    fresh.plugins.reload_plugin("everything")
    assert fresh.ask("add", a=1, b=1) == 0
    fresh.plugins.rollback_plugin("everything", "1.0.0")
    assert fresh.ask("add", a=1, b=1) == 2


def test_a_plugin_that_rests_goes_on_where_it_was(fresh):
    fresh.ask("count_up")
    fresh.plugins.suspend_plugin("everything")
    assert fresh.plugins.plugin_info("everything").state is PluginState.SUSPENDED
    fresh.plugins.resume_plugin("everything")
    assert fresh.ask("count_up") == 2


def test_health_is_the_plugins_own_word(fresh):
    assert fresh.plugins.plugin_health("everything").state is HealthState.HEALTHY
    for _ in range(91):
        fresh.ask("count_up")
    assert fresh.plugins.plugin_health("everything").state is HealthState.DEGRADED


def test_code_that_can_not_be_imported_says_what_is_missing(fresh):
    fresh.plugins.unload_plugin("everything", cascade=True)
    fresh.edit("import time\n", "import time\nimport no_such_module\n")
    with pytest.raises(LoadFailedError, match="no_such_module"):
        fresh.plugins.load_plugin("everything")
    fresh.undo()
    fresh.plugins.rediscover()
    fresh.plugins.load_plugin("everything")
