"""When plugins are loaded, in what order, and how they are unloaded."""

from __future__ import annotations

import pytest

from nebula_lab import PluginState
from nebula_lab.errors import DependentsLoadedError, ExecutionFailedError, PluginError

# Writes when its loading began and ended, and its end, to a file that the configuration names.
TIMED = """
def initialize(self, config):
    self.diary = pathlib.Path(config["diary"])
    self.note("begin")
    friends = config.get("meet", 0)
    while friends and self.diary.read_text().count(" begin ") < friends:
        time.sleep(0.002)
    self.note("end")
@operation
def ping(self):
    return "pong"
@operation
def hang(self, mark: str):
    pathlib.Path(mark).touch()
    while True:
        time.sleep(0.01)
def cleanup(self):
    self.note("cleanup")
    if self.context.config.get("break_cleanup"):
        raise LookupError("cleanup broke")
def note(self, what):
    with self.diary.open("a") as diary:
        diary.write(f"{self.context.plugin_id} {what} {time.monotonic()}\\n")
"""
PLUGINS = {
    "base": {},
    "middle": {"dependencies": ["base"]},
    "top": {"dependencies": ["middle"], "tags": ["priority:50"]},
    "alone": {"tags": ["priority:10"]},
    "other": {"tags": ["priority:49"]},
    "hopeful": {"dependencies": [{"plugin_id": "absent", "optional": True}]},
}
SANDBOX = "None"


@pytest.fixture
def diary(tmp_path):
    return tmp_path / "diary"


@pytest.fixture
def open_manager(folder, diary):
    """Opens a manager on the six plugins."""
    for plugin_id, metadata in PLUGINS.items():
        folder.plugin(plugin_id, TIMED, **metadata)

    def open_it(sandbox: str = SANDBOX, extra: dict | None = None, **settings):
        given = {
            plugin_id: {"diary": str(diary), **(extra or {}).get(plugin_id, {})}
            for plugin_id in PLUGINS
        }
        return folder.manager(sandbox, global_config=given, **settings)

    return open_it


def entries(diary, what: str) -> list[str]:
    lines = [line.split() for line in diary.read_text().splitlines()] if diary.exists() else []
    return [line[0] for line in lines if line[1] == what]


def loaded(plugins) -> set[str]:
    up = (PluginState.LOADED, PluginState.ACTIVE)
    return {info.id for info in plugins.list_plugins() if info.state in up}


def test_eager_loads_every_plugin(open_manager):
    with open_manager(loading="Eager") as plugins:
        assert loaded(plugins) == set(PLUGINS)


def test_lazy_loads_none_until_it_is_called(open_manager):
    with open_manager(loading="Lazy") as plugins:
        assert loaded(plugins) == set()
        assert plugins["alone"].ping() == "pong"
        assert loaded(plugins) == {"alone"}


def test_priority_loads_all_at_or_above_the_threshold_and_what_they_depend_on(open_manager):
    with open_manager(loading={"type": "Priority", "threshold": 49}) as plugins:
        assert loaded(plugins) == {"base", "middle", "top", "other"}


def test_dependencies_are_loaded_first(open_manager, diary):
    with open_manager() as plugins:
        plugins.load_plugin("top")
        ends, begins = entries(diary, "end"), entries(diary, "begin")
        assert (ends, begins) == (["base", "middle", "top"], ["base", "middle", "top"])


@pytest.mark.parametrize("sandbox", ["Process", "None"])
def test_independent_plugins_are_loaded_at_the_same_time(open_manager, diary, sandbox):
    # Each waits in its initialize until the others have begun theirs.
    together = {plugin_id: {"meet": 3} for plugin_id in ("base", "alone", "other")}
    strategy = {"type": "Priority", "threshold": 10}
    with open_manager(sandbox, together, loading=strategy, timeout=60) as plugins:
        plugins.load_plugin("base")
        assert {"base", "alone", "other"} <= loaded(plugins)
        assert set(entries(diary, "begin")[:3]) == {"base", "alone", "other"}


def test_loading_twice_loads_once(open_manager, diary):
    with open_manager() as plugins:
        plugins.load_plugin("alone")
        plugins.load_plugin("alone")
        assert entries(diary, "begin") == ["alone"]


def test_threads_that_call_a_plugin_for_the_first_time_load_it_once(open_manager, diary, callers):
    with open_manager() as plugins:
        for _ in range(8):
            callers.start(plugins.execute, "top", "ping")
        assert callers.join() == ["pong"] * 8
        assert sorted(entries(diary, "begin")) == ["base", "middle", "top"]


def test_a_plugin_whose_optional_dependency_is_absent_is_loaded_with_a_note(open_manager):
    with open_manager() as plugins:
        assert plugins["hopeful"].ping() == "pong"
        assert [(one.plugin_id, one.severity) for one in plugins.problems] == [("hopeful", "note")]


def test_unloading_refuses_while_others_depend_on_it_and_names_them(open_manager):
    with open_manager() as plugins:
        plugins.load_plugin("top")
        with pytest.raises(DependentsLoadedError, match="top") as caught:
            plugins.unload_plugin("base")
        assert set(caught.value.dependents) == {"middle", "top"}
        assert loaded(plugins) == {"base", "middle", "top"}


def test_unloading_with_cascade_unloads_dependents_first(open_manager, diary):
    with open_manager() as plugins:
        plugins.load_plugin("top")
        plugins.unload_plugin("base", cascade=True)
        assert entries(diary, "cleanup") == ["top", "middle", "base"]
        assert loaded(plugins) == set()


def test_a_cleanup_that_fails_is_told_and_everything_is_unloaded_all_the_same(open_manager):
    broken = {"top": {"break_cleanup": True}}
    with open_manager(extra=broken) as plugins:
        plugins.load_plugin("top")
        with pytest.raises(PluginError, match="cleanup broke"):
            plugins.unload_plugin("base", cascade=True)
        assert loaded(plugins) == set()


@pytest.mark.parametrize("sandbox", ["Process", "None"])
def test_an_unloaded_plugin_is_loaded_again_by_a_call(open_manager, diary, sandbox):
    with open_manager(sandbox) as plugins:
        plugins.load_plugin("alone")
        plugins.unload_plugin("alone")
        assert plugins["alone"].ping() == "pong"
        assert entries(diary, "begin") == ["alone", "alone"]


def test_unloading_ends_a_call_that_does_not_end_by_itself(
    open_manager, callers, tmp_path, wait_until
):
    mark = tmp_path / "hanging"
    with open_manager("Process") as plugins:
        callers.start(plugins.execute, "alone", "hang", {"mark": str(mark)})
        wait_until(mark.exists, "the call began")
        plugins.unload_plugin("alone")
        assert isinstance(callers.join()[0], ExecutionFailedError)
        assert loaded(plugins) == set()


@pytest.mark.parametrize("sandbox", ["Process", "None"])
def test_closing_the_manager_lets_plugins_clean_up(open_manager, diary, sandbox):
    with open_manager(sandbox) as plugins:
        plugins.load_plugin("alone")
    assert entries(diary, "cleanup") == ["alone"]


def test_a_cleanup_that_fails_does_not_keep_the_manager_from_closing(open_manager, diary):
    with open_manager(extra={"alone": {"break_cleanup": True}}) as plugins:
        plugins.load_plugin("alone")
    assert plugins.closed


def test_the_load_order_has_dependencies_first(open_manager):
    with open_manager() as plugins:
        order = plugins.load_order
        assert order.index("base") < order.index("middle") < order.index("top")


def test_the_graph_leads_from_dependents_to_dependencies(open_manager):
    with open_manager() as plugins:
        assert {("middle", "base"), ("top", "middle")} <= set(plugins.graph.edges)
        assert plugins.dependents("base") == ("top", "middle")


def test_rediscovery_finds_new_plugins_and_keeps_what_runs(open_manager, folder):
    with open_manager() as plugins:
        plugins.load_plugin("alone")
        folder.plugin("newcomer", "@operation\ndef ping(self): return 'new'")
        plugins.rediscover()
        assert plugins["newcomer"].ping() == "new"
        assert "alone" in loaded(plugins)
