"""What a new version has to prove before it serves, while the old one goes on."""

from __future__ import annotations

import threading

import pytest
from counting_plugin import counter

from nebula_lab.errors import LoadFailedError, PluginError
from nebula_lab.model.events import PluginReloaded, ReloadFailed
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.output import QuietSink

# What is said of a reload is the same for every sandbox.
IN_THIS_PROCESS = pytest.mark.parametrize("plugins", ["None"], indirect=True)


@pytest.fixture(params=["Process", "None"])
def plugins(request, folder):
    folder.plugin("counter", counter(1))
    with folder.manager(request.param) as manager:
        yield manager


REFUSED = {
    "an unhealthy version": (
        "def health_check(self): return HealthStatus.unhealthy('no database')",
        "no database",
    ),
    "a health check that raises": ("def health_check(self): raise LookupError('gone')", "gone"),
    "a self-test that raises": ("def self_test(self): assert self.count > 5, 'too few'", "too few"),
    "a self-test that says no": ("def self_test(self): return False", "self_test"),
    "a state that is not taken": ("def restore_state(self, state): state['total']", "total"),
    "a state of its own that is not taken": (
        "def save_state(self): return {'total': self.count}",
        "does not take the state that it saves itself",
    ),
    "a state that is not saved": (
        "def save_state(self): return self.total",
        "does not take the state that it saves itself",
    ),
    "a process that ends": ("def self_test(self): os._exit(3)", "exited with code 3"),
}


@pytest.fixture(scope="module")
def processes(shared_folder):
    with shared_folder.manager() as manager:
        yield manager


@pytest.mark.parametrize("what", REFUSED)
def test_what_does_not_prove_itself_leaves_the_old_code_serving(shared_folder, processes, what):
    methods, reason = REFUSED[what]
    name = what.replace(" ", "_").replace("-", "_")
    shared_folder.plugin(name, counter(1))
    processes.rediscover()
    processes[name].up()
    shared_folder.plugin(name, counter(2, methods))
    with pytest.raises(LoadFailedError, match=reason):
        processes.reload_plugin(name)
    assert processes[name].up() == [1, 2]


def test_a_self_test_sees_the_state_of_the_old_version(plugins, folder):
    plugins["counter"].up()
    folder.plugin("counter", counter(2, "def self_test(self): assert self.count == 1"))
    plugins.reload_plugin("counter")
    assert plugins["counter"].up() == [2, 2]


def test_what_a_self_test_does_to_the_state_does_not_stay(plugins, folder):
    plugins["counter"].up()
    folder.plugin("counter", counter(2, "def self_test(self): self.count = 1000"))
    plugins.reload_plugin("counter")
    assert plugins["counter"].up() == [2, 2]


@IN_THIS_PROCESS
def test_a_degraded_version_is_taken(plugins, folder):
    plugins["counter"].up()
    more = "def health_check(self): return HealthStatus.degraded('slow')"
    folder.plugin("counter", counter(2, more))
    plugins.reload_plugin("counter")
    assert plugins["counter"].up() == [2, 2]


def test_an_update_made_during_the_rehearsal_is_not_lost(folder, wait_until, tmp_path, callers):
    mark, gate = tmp_path / "mark", tmp_path / "gate"
    folder.plugin("counter", counter(1))
    with folder.manager() as plugins:
        plugins["counter"].up()
        test = f"""
def self_test(self):
    pathlib.Path({str(mark)!r}).touch()
    while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.002)
"""
        folder.plugin("counter", counter(2, test))
        callers.start(plugins.reload_plugin, "counter")
        wait_until(mark.exists, "the new version rehearses")
        assert plugins["counter"].up() == [1, 2]
        gate.touch()
        callers.join()
        assert plugins["counter"].up() == [2, 3]


def test_a_version_number_reaches_a_restore_state_that_asks_for_it(plugins, folder):
    plugins["counter"].up()
    body = counter(2).replace(
        'def restore_state(self, state): self.count = state["count"]',
        "def restore_state(self, state, from_version): self.seen = from_version; self.count = 7",
    )
    seen = "\n@operation\ndef version(self) -> str: return self.seen\n"
    folder.plugin("counter", body + seen, version="2.0.0")
    plugins.reload_plugin("counter")
    assert (plugins["counter"].version(), plugins["counter"].up()) == ("1.0.0", [2, 8])


def test_an_old_version_that_cannot_save_its_state_goes_on_and_says_what_to_do(plugins, folder):
    folder.plugin("counter", counter(1, "def save_state(self): raise LookupError('lost')"))
    plugins.reload_plugin("counter")
    with pytest.raises(LoadFailedError, match="unload_plugin"):
        plugins.reload_plugin("counter")
    assert plugins["counter"].up() == [1, 1]


@IN_THIS_PROCESS
def test_the_event_says_what_is_different(plugins, folder, wait_until):
    seen: list[object] = []
    plugins["counter"].up()
    plugins.subscribe(seen.append)
    folder.plugin("counter", counter(2, "@operation\ndef down(self) -> int: return 0"))
    plugins.reload_plugin("counter")
    wait_until(lambda: any(isinstance(one, PluginReloaded) for one in seen), "the event")
    event = next(one for one in seen if isinstance(one, PluginReloaded))
    assert event.changes == ("new: down",)


@IN_THIS_PROCESS
def test_a_failed_reload_says_how_the_new_code_differs(plugins, folder, wait_until):
    seen: list[object] = []
    plugins["counter"].up()
    plugins.subscribe(seen.append)
    folder.plugin("counter", counter(2, "def initialize(self, config): raise LookupError('no')"))
    with pytest.raises(PluginError) as raised:
        plugins.reload_plugin("counter")
    assert "+    def initialize(self, config): raise LookupError('no')" in raised.value.diff
    wait_until(lambda: any(isinstance(one, ReloadFailed) for one in seen), "the event")
    event = next(one for one in seen if isinstance(one, ReloadFailed))
    assert event.error is raised.value and event.goes_on


@IN_THIS_PROCESS
def test_a_source_that_does_not_parse_is_compared_too(plugins, folder):
    plugins["counter"].up()
    folder.plugin("counter", "def broken(:")
    with pytest.raises(PluginError) as raised:
        plugins.reload_plugin("counter")
    assert "+    def broken(:" in raised.value.diff


def test_calls_are_held_for_milliseconds_only(folder, wait_until):
    folder.plugin("counter", counter(1))
    seen: list[PluginReloaded] = []
    with folder.manager() as plugins:
        plugins.subscribe(lambda event: isinstance(event, PluginReloaded) and seen.append(event))
        plugins["counter"].up()
        for version in range(2, 4):
            folder.plugin("counter", counter(version))
            plugins.reload_plugin("counter")
        wait_until(lambda: len(seen) == 2, "both reloads")
    assert 0.0 < min(event.held for event in seen) < min(event.duration for event in seen)


def test_a_busy_plugin_is_replaced_once_it_has_answered(folder, callers, wait_until, tmp_path):
    mark = tmp_path / "mark"
    slow = f"""
@operation
def slow(self) -> int:
    pathlib.Path({str(mark)!r}).touch()
    time.sleep(1.5)
    self.count += 10
    return self.count
"""
    folder.plugin("counter", counter(1, slow))
    with folder.manager() as plugins:
        callers.start(plugins.execute, "counter", "slow")
        wait_until(mark.exists, "it is busy for longer than the grace")
        folder.plugin("counter", counter(2))
        plugins.reload_plugin("counter")
        assert callers.join() == [10]
        assert plugins["counter"].up() == [2, 11]


DEPENDENT = """
def initialize(self, config): self.told = []
@operation
def heard(self) -> list[str]: return self.told
def on_dependency_reloaded(self, plugin_id, version): self.told.append(f"{plugin_id} {version}")
"""


def test_dependents_are_told_and_go_on_as_they_are(folder, wait_until):
    folder.plugin("counter", counter(1))
    folder.plugin("user", DEPENDENT, dependencies=["counter"])
    with folder.manager() as plugins:
        plugins.load_plugin("user")
        pid = {one.id: one.pid for one in plugins.list_plugins()}["user"]
        folder.plugin("counter", counter(2), version="1.1.0")
        plugins.reload_plugin("counter")
        wait_until(lambda: plugins["user"].heard() == ["counter 1.1.0"], "it has been told")
        assert {one.id: one.pid for one in plugins.list_plugins()}["user"] == pid


def test_a_dependent_that_was_suspended_is_told_once_it_is_back(folder, wait_until):
    folder.plugin("counter", counter(1))
    folder.plugin("user", DEPENDENT, dependencies=["counter"])
    with folder.manager() as plugins:
        plugins.load_plugin("user")
        plugins.suspend_plugin("user")
        folder.plugin("counter", counter(2), version="1.1.0")
        plugins.reload_plugin("counter")
        wait_until(lambda: plugins["user"].heard() == ["counter 1.1.0"], "it has been told")


def test_a_dependent_that_was_just_coming_up_is_told_once_it_is(folder, tmp_path, wait_until):
    begun, go = tmp_path / "begun", tmp_path / "go"
    initialize = f"""
def initialize(self, config):
    self.told = []
    pathlib.Path({str(begun)!r}).touch()
    while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.001)
"""
    keeps_nothing = "def save_state(self): pass\ndef restore_state(self, state): pass"
    hears = f"{DEPENDENT}{keeps_nothing}"
    folder.plugin("counter", counter(1))
    folder.plugin("user", hears, dependencies=["counter"])
    with folder.manager() as plugins:
        plugins.load_plugin("user")
        waits = initialize + hears.split("\n", 2)[2]
        folder.plugin("user", waits, version="1.1.0", dependencies=["counter"])
        reload = threading.Thread(target=plugins.reload_plugin, args=("user",))
        reload.start()
        wait_until(begun.exists, "its new code begins")
        folder.plugin("counter", counter(2), version="1.2.0")
        plugins.reload_plugin("counter")
        go.touch()
        reload.join()
        wait_until(lambda: plugins["user"].heard() == ["counter 1.2.0"], "it has been told")


def test_a_dependent_that_fails_at_being_told_goes_on(folder, caplog, wait_until):
    folder.plugin("counter", counter(1))
    body = DEPENDENT.replace("self.told.append", "raise LookupError")
    folder.plugin("user", body, dependencies=["counter"])
    with folder.manager() as plugins:
        plugins.load_plugin("user")
        plugins.reload_plugin("counter")
        wait_until(lambda: "on_dependency_reloaded" in caplog.text, "it is logged")
        assert plugins["user"].heard() == []


def test_a_version_that_breaks_the_range_of_a_dependent_is_refused_by_its_name(folder):
    folder.plugin("counter", counter(1))
    folder.plugin("user", DEPENDENT, dependencies=["counter ^1.0"])
    with folder.manager() as plugins:
        plugins.load_plugin("user")
        folder.plugin("counter", counter(2), version="2.0.0")
        with pytest.raises(PluginError, match="user"):
            plugins.reload_plugin("counter")
        assert plugins["counter"].up() == [1, 1]


def test_who_waits_for_a_host_that_is_gone_is_told_and_keeps_nobody_waiting(folder):
    folder.plugin("counter", counter(1))
    with folder.manager() as plugins:
        plugins["counter"].up()
        slots = plugins._engine.catalogue.record("counter").slots
        (former,) = slots.hosts
        plugins.reload_plugin("counter")
        with pytest.raises(PluginError, match="its host is gone"):
            slots.acquire(Invocation("counter", "errand", 5.0, QuietSink()), at=former)
        assert plugins["counter"].up() == [1, 2]
