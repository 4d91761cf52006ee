"""Plugins that are suspended because nobody calls them, or others need their memory."""

from __future__ import annotations

from nebula_lab import PluginState
from nebula_lab.model.events import StateChanged
from nebula_lab.runtime.measuring import processes_of
from nebula_lab.sandbox.memory import own_memory

COUNTER = """
def initialize(self, config):
    self.count = 0
@operation
def up(self) -> int:
    self.count += 1
    return self.count
@operation
def wait(self, mark: str, gate: str) -> int:
    pathlib.Path(mark).touch()
    while not pathlib.Path(gate).exists():
        time.sleep(0.002)
    return self.count
def save_state(self): return {"count": self.count}
def restore_state(self, state): self.count = state["count"]
"""
LARGE = COUNTER.replace("self.count = 0", "self.count, self.block = 0, os.urandom(60_000_000)")


def state(plugins, plugin_id="counter") -> PluginState:
    return {one.id: one.state for one in plugins.list_plugins()}[plugin_id]


def is_suspended(plugins, plugin_id="counter"):
    return lambda: state(plugins, plugin_id) is PluginState.SUSPENDED


def test_a_plugin_that_nobody_calls_is_suspended_and_comes_back_with_its_state(folder, wait_until):
    folder.plugin("counter", COUNTER)
    with folder.manager(idle_timeout=0.2) as plugins:
        plugins["counter"].up()
        wait_until(is_suspended(plugins), "it is suspended")
        assert plugins["counter"].up() == 2


def test_one_that_is_called_is_not(folder, callers, wait_until, tmp_path):
    mark, gate = tmp_path / "mark", tmp_path / "gate"
    folder.plugin("counter", COUNTER)
    folder.plugin("other", COUNTER)
    with folder.manager(idle_timeout=0.1) as plugins:
        plugins.load_plugin("other")
        callers.start(plugins.execute, "counter", "wait", {"mark": str(mark), "gate": str(gate)})
        wait_until(mark.exists, "the call began")
        wait_until(is_suspended(plugins, "other"), "the other one is suspended")
        assert state(plugins) is PluginState.ACTIVE
        gate.touch()
        assert callers.join() == [0]


def test_the_event_says_why(folder, wait_until):
    seen: list[StateChanged] = []
    folder.plugin("counter", COUNTER)
    with folder.manager(idle_timeout=0.2) as plugins:
        plugins.subscribe(seen.append, only=[StateChanged])
        plugins["counter"].up()
        wait_until(is_suspended(plugins), "it is suspended")
        wait_until(lambda: any(one.after is PluginState.SUSPENDED for one in seen), "the event")
    event = next(one for one in seen if one.after is PluginState.SUSPENDED)
    assert event.reason == "nobody called it for 0.2 s"


def test_one_that_can_not_be_suspended_goes_on_and_is_said_once(folder, wait_until, caplog):
    refusing = COUNTER.replace('return {"count": self.count}', "raise LookupError('busy')")
    folder.plugin("counter", refusing)
    folder.plugin("other", COUNTER)
    with folder.manager(idle_timeout=0.1) as plugins:
        plugins["counter"].up()
        wait_until(lambda: "can't be suspended" in caplog.text, "it is logged")
        plugins["other"].up()
        wait_until(is_suspended(plugins, "other"), "there were more looks since")
        assert caplog.text.count("can't be suspended") == 1
        assert plugins["counter"].up() == 2


def test_over_the_budget_who_was_called_least_recently_is_suspended(folder, wait_until):
    for plugin_id in ("first", "second", "third"):
        folder.plugin(plugin_id, LARGE)
    with folder.manager(memory_budget="170 MB") as plugins:
        for plugin_id in ("first", "second"):
            plugins[plugin_id].up()
        assert state(plugins, "first") is PluginState.ACTIVE
        plugins["third"].up()
        wait_until(is_suspended(plugins, "first"), "there is room again")
        assert state(plugins, "third") is PluginState.ACTIVE
        assert plugins["first"].up() == 2


SPAWNER = """
def initialize(self, config):
    code = "block = b'x' * 80_000_000; print('there', flush=True); input()"
    self.child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    self.child.stdout.readline()
@operation
def up(self) -> int: return 1
"""


def test_what_a_plugin_has_started_counts_as_its_memory(folder):
    rights = {"capabilities": ["ProcessSpawn", "MemoryAllocation"]}
    folder.plugin("spawner", SPAWNER, security=rights)
    with folder.manager(security=rights) as plugins:
        plugins["spawner"].up()
        (host,) = plugins._engine.catalogue.record("spawner").slots.hosts
        assert sum(own_memory(one.pid) for one in processes_of(host)) > 80_000_000


def test_memory_of_a_process_that_is_gone_is_none():
    assert own_memory(2**22 + 1) == 0
