"""Plugins that do not come up: Failed, with the reason, and nothing else is harmed."""

from __future__ import annotations

import pytest

from nebula_lab import PluginState
from nebula_lab.errors import (
    ExecutionFailedError,
    LoadFailedError,
    PluginError,
    SymbolNotFoundError,
)
from nebula_lab.plugin import HealthState

GOOD = "@operation\ndef ping(self): return 'pong'"
# What is wrong, and two words of what is said of it: the reason, and the plugin's own line.
BROKEN = {
    "syntax": ("def broken(:\n    pass", "SyntaxError", "def broken(:"),
    "no_entry": ("x = 1", "plugin_entry", ""),
    "entry_is_no_function": ("plugin_entry = 3", "plugin_entry", ""),
    "wrong_api": ("PLUGIN_API_VERSION = 99\ndef plugin_entry(): ...", "99", ""),
    "raises": (
        "class It(Plugin):\n"
        "    def initialize(self, config):\n"
        "        raise LookupError('no database')\n"
        "def plugin_entry(): return It()",
        "no database",
        "raise LookupError('no database')",
    ),
    "import_raises": ("import no_such_module", "no_such_module", "import no_such_module"),
    "class_returned": (
        "class It(Plugin): ...\ndef plugin_entry(): return It",
        "must return an object",
        "",
    ),
    "no_methods": ("def plugin_entry(): return object()", "without initialize", ""),
    "exits": ("import sys\nsys.exit(4)", "SystemExit", "sys.exit(4)"),
}
ENDS = {
    "dies": ("os._exit(7)", "exited with code 7"),
    "never": (
        "class It(Plugin):\n"
        "    def initialize(self, config):\n"
        "        threading.Event().wait()\n"
        "def plugin_entry(): return It()",
        "no answer within",
    ),
}


@pytest.fixture(scope="module", params=["Process", "None"])
def plugins(request, shared_folder):
    for plugin_id, (body, *_) in BROKEN.items():
        shared_folder.write(plugin_id, body)
    shared_folder.plugin("good", GOOD)
    shared_folder.plugin("dependent", GOOD, dependencies=["raises"])
    shared_folder.plugin("optional", GOOD, dependencies=[{"plugin_id": "raises", "optional": True}])
    with shared_folder.manager(request.param, loading="Eager") as manager:
        yield manager


def state(plugins, plugin_id):
    return {info.id: info for info in plugins.list_plugins()}[plugin_id]


LOADABLE = [plugin_id for plugin_id in BROKEN if plugin_id not in ("syntax", "wrong_api")]


@pytest.mark.parametrize("plugin_id", LOADABLE)
def test_a_plugin_that_does_not_come_up_is_failed_with_the_reason(plugins, plugin_id):
    info = state(plugins, plugin_id)
    assert info.state is PluginState.FAILED
    assert BROKEN[plugin_id][1] in info.failure


@pytest.mark.parametrize("plugin_id", ["syntax", "wrong_api"])
def test_what_can_be_seen_without_running_it_is_among_the_problems(plugins, plugin_id):
    shown = " ".join(str(problem) for problem in plugins.problems if problem.severity == "error")
    listed = {info.id: info.failure or "" for info in plugins.list_plugins()}
    assert plugin_id in shown or BROKEN[plugin_id][1] in listed[plugin_id]


@pytest.mark.parametrize("plugin_id", [one for one in LOADABLE if BROKEN[one][2]])
def test_the_users_own_traceback_is_told_without_ours(plugins, plugin_id):
    with pytest.raises(LoadFailedError) as caught:
        plugins.load_plugin(plugin_id)
    assert BROKEN[plugin_id][2] in caught.value.remote_traceback
    assert "nebula_lab/" not in caught.value.remote_traceback
    assert f"{plugin_id}.py" in str(caught.value)


@pytest.mark.parametrize("plugin_id", ["syntax", "wrong_api"])
def test_loading_what_is_among_the_problems_says_why_not(plugins, plugin_id):
    with pytest.raises(PluginError):
        plugins.load_plugin(plugin_id)


@pytest.mark.parametrize("plugin_id", ["no_entry", "entry_is_no_function"])
def test_a_plugin_without_entry_is_a_symbol_that_was_not_found(plugins, plugin_id):
    with pytest.raises(SymbolNotFoundError, match="plugin_entry"):
        plugins.load_plugin(plugin_id)


@pytest.mark.parametrize("plugin_id", LOADABLE)
def test_calling_a_failed_plugin_says_why_it_failed_and_what_to_do(plugins, plugin_id):
    with pytest.raises(ExecutionFailedError, match="reload_plugin") as caught:
        plugins.execute(plugin_id, "ping")
    assert BROKEN[plugin_id][1] in str(caught.value)


def test_the_rest_is_not_harmed(plugins):
    assert plugins["good"].ping() == "pong"


def test_the_health_of_a_failed_plugin_is_the_reason(plugins):
    health = plugins.plugin_health("raises")
    assert health.state is HealthState.UNHEALTHY
    assert "no database" in health.message


def test_a_failed_dependency_is_named_and_the_dependent_is_left_to_be_tried_again(plugins):
    with pytest.raises(PluginError, match=r"raises, which it depends on, failed: .*no database"):
        plugins.load_plugin("dependent")
    assert state(plugins, "dependent").state is PluginState.DISCOVERED


def test_a_plugin_whose_optional_dependency_failed_is_loaded_without_it(plugins):
    assert plugins["optional"].ping() == "pong"


@pytest.mark.parametrize("plugin_id", ENDS)
def test_a_process_that_ends_or_hangs_while_it_loads_is_a_failed_load(folder, plugin_id):
    folder.write(plugin_id, ENDS[plugin_id][0])
    with folder.manager(timeout=0.5 if plugin_id == "never" else 60.0) as plugins:
        with pytest.raises(LoadFailedError, match=ENDS[plugin_id][1]):
            plugins.load_plugin(plugin_id)
        assert state(plugins, plugin_id).state is PluginState.FAILED


def test_a_plugin_that_was_mended_is_loaded_by_a_reload(folder):
    folder.write("mended", "x = 1")
    with folder.manager("None") as plugins:
        with pytest.raises(SymbolNotFoundError):
            plugins.load_plugin("mended")
        folder.plugin("mended", GOOD)
        plugins.reload_plugin("mended")
        assert plugins["mended"].ping() == "pong"
        assert state(plugins, "mended").failure is None


def test_a_dependent_is_loaded_once_its_dependency_is_mended(folder):
    folder.write("base", "x = 1")
    folder.plugin("dependent", GOOD, dependencies=["base"])
    with folder.manager("None") as plugins:
        with pytest.raises(PluginError, match="base, which it depends on"):
            plugins.execute("dependent", "ping")
        folder.plugin("base", GOOD)
        assert plugins["dependent"].ping() == "pong"
