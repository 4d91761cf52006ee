"""What a plugin goes on from after it died."""

from __future__ import annotations

import os
import signal
import time

import pytest

from nebula_lab.errors import PluginCrashedError
from nebula_lab.model import CheckpointPolicy
from nebula_lab.model.events import PluginRestarted

COUNTER = """
def initialize(self, config):
    self.count = 0
@operation
def up(self) -> int:
    self.count += 1
    return self.count
@operation
def count(self) -> int:
    return self.count
@operation
def die(self):
    os.kill(os.getpid(), signal.SIGKILL)
@operation(idempotent=True)
def die_once(self, mark: str) -> int:
    path = pathlib.Path(mark)
    if not path.exists():
        path.touch()
        os._exit(1)
    return self.count
@operation(idempotent=True)
def die_always(self, mark: str):
    with open(mark, "a") as file: file.write("x")
    os._exit(1)
def save_state(self): return {"count": self.count}
def restore_state(self, state): self.count = state["count"]
""".replace("def count(self)", "def total(self)")

AWAITS = """
@operation
async def up_after(self, begun: str, go: str):
    pathlib.Path(begun).touch()
    while not pathlib.Path(go).exists(): await asyncio.sleep(0.001)
    self.count += 1
"""


def kill(plugins) -> None:
    pid = plugins.list_plugins()[0].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def record(plugins):
    return plugins._engine.catalogue.record("counter")


def crash(plugins) -> None:
    with pytest.raises(PluginCrashedError):
        plugins["counter"].die()


def test_with_a_checkpoint_after_each_call_none_is_lost(folder):
    folder.plugin("counter", COUNTER)
    with folder.manager(checkpoint={"calls": 1}) as plugins:
        assert [plugins["counter"].up() for _ in range(3)] == [1, 2, 3]
        crash(plugins)
        assert plugins["counter"].up() == 4


def test_a_crash_loses_at_most_so_many_calls(folder):
    folder.plugin("counter", COUNTER)
    with folder.manager(checkpoint={"calls": 5}) as plugins:
        for _ in range(13):
            plugins["counter"].up()
        crash(plugins)
        assert plugins["counter"].total() >= 10


def test_a_checkpoint_is_taken_when_its_time_has_come(folder, wait_until):
    folder.plugin("counter", COUNTER)
    with folder.manager(checkpoint={"interval": 0.1}) as plugins:
        plugins["counter"].up()
        host = record(plugins).slots.hosts[0]
        wait_until(lambda: host.checkpoint and host.checkpoint.state == {"count": 1}, "it is taken")
        crash(plugins)
        assert plugins["counter"].up() == 2


def test_a_plugin_that_is_never_idle_has_its_checkpoints_too(folder, wait_until):
    folder.plugin("counter", COUNTER)
    with folder.manager(checkpoint={"interval": 0.05}) as plugins:
        plugins.load_plugin("counter")
        host = record(plugins).slots.hosts[0]

        def has_been_taken() -> bool:
            for _ in range(50):
                plugins["counter"].up()
            return host.checkpoint is not None and host.checkpoint.state["count"] > 50

        wait_until(has_been_taken, "a checkpoint between two calls")


def test_a_replica_whose_checkpoint_was_not_taken_when_it_was_due_has_it_later(folder, wait_until):
    folder.plugin("counter", COUNTER, runtime={"replicas": 2})
    with folder.manager(checkpoint={"interval": 0.05}) as plugins:
        plugins.load_plugin("counter")
        hosts, began = record(plugins).slots.hosts, time.monotonic()
        for host in hosts:
            host.checkpoint_is_due = True  # as when the other has just had its own
        record(plugins).hand_over = None

        def have_new_ones() -> bool:
            plugins["counter"].up()
            return min(host.checkpoint_at for host in hosts) > began

        wait_until(have_new_ones, "each has had another")


def test_what_a_call_changes_after_a_checkpoint_beside_it_is_in_the_next(
    folder, callers, tmp_path, wait_until
):
    folder.plugin("counter", COUNTER + AWAITS)
    with folder.manager(checkpoint={"interval": 0.05}) as plugins:
        marks = {"begun": str(tmp_path / "b"), "go": str(tmp_path / "g")}
        callers.start(plugins.execute, "counter", "up_after", marks)
        wait_until((tmp_path / "b").exists, "the call began")
        host = record(plugins).slots.hosts[0]
        began = time.monotonic()
        wait_until(lambda: host.checkpoint and host.checkpoint_at > began, "one beside it")
        (tmp_path / "g").touch()
        callers.join()
        wait_until(lambda: host.checkpoint.state == {"count": 1}, "one after it")


def test_without_checkpoints_it_begins_anew(folder):
    folder.plugin("counter", COUNTER)
    with folder.manager(checkpoint={"interval": None}) as plugins:
        plugins["counter"].up()
        crash(plugins)
        assert plugins["counter"].up() == 1


def test_a_reload_is_a_checkpoint(folder):
    folder.plugin("counter", COUNTER)
    with folder.manager(checkpoint={"interval": None}) as plugins:
        plugins["counter"].up()
        plugins.reload_plugin("counter")
        crash(plugins)
        assert plugins["counter"].up() == 2


def test_a_resumed_plugin_has_its_state_after_a_crash(folder):
    folder.plugin("counter", COUNTER)
    with folder.manager(checkpoint={"interval": None}) as plugins:
        plugins["counter"].up()
        plugins.suspend_plugin("counter")
        plugins.resume_plugin("counter")
        crash(plugins)
        assert plugins["counter"].up() == 2


def test_a_state_that_is_not_taken_any_more_does_not_stop_the_plugin(folder, caplog, tmp_path):
    poison = tmp_path / "poison"
    refusing = COUNTER.replace(
        "def restore_state(self, state):",
        f"def restore_state(self, state):\n    assert not pathlib.Path({str(poison)!r}).exists()\n"
        "   ",
    )
    folder.plugin("counter", refusing)
    with folder.manager(checkpoint={"calls": 1}) as plugins:
        plugins["counter"].up()
        poison.touch()
        crash(plugins)
        assert plugins["counter"].up() == 1
    assert "without its state" in caplog.text


def test_a_checkpoint_that_fails_is_logged_and_harms_no_call(folder, caplog, wait_until):
    failing = COUNTER.replace('return {"count": self.count}', "raise LookupError('no state')")
    folder.plugin("counter", failing)
    with folder.manager(checkpoint={"calls": 1}) as plugins:
        assert [plugins["counter"].up() for _ in range(3)] == [1, 2, 3]
        wait_until(lambda: "no checkpoint of counter" in caplog.text, "it is logged")


def test_the_event_says_how_much_was_lost(folder, wait_until):
    seen: list[object] = []
    folder.plugin("counter", COUNTER)
    with folder.manager(checkpoint={"calls": 1}) as plugins:
        plugins.subscribe(seen.append)
        plugins["counter"].up()
        host = record(plugins).slots.hosts[0]
        wait_until(lambda: host.checkpoint is not None, "a checkpoint")
        kill(plugins)
        wait_until(lambda: any(isinstance(one, PluginRestarted) for one in seen), "a restart")
    event = next(one for one in seen if isinstance(one, PluginRestarted))
    assert event.lost is not None and event.lost >= 0.0 and event.duration > 0.0


def test_a_call_that_does_no_harm_twice_is_run_again_after_a_crash(folder, tmp_path):
    folder.plugin("counter", COUNTER)
    with folder.manager(checkpoint={"calls": 1}) as plugins:
        plugins["counter"].up()
        assert plugins["counter"].die_once(mark=str(tmp_path / "mark")) == 1


def test_a_call_that_kills_its_process_each_time_is_given_up(folder, tmp_path):
    mark = tmp_path / "mark"
    folder.plugin("counter", COUNTER)
    with folder.manager() as plugins, pytest.raises(PluginCrashedError):
        plugins["counter"].die_always(mark=str(mark))
    assert mark.read_text() == "xxx"


def test_other_calls_are_not_run_again(folder):
    folder.plugin("counter", COUNTER)
    with folder.manager() as plugins:
        crash(plugins)
        assert plugins["counter"].total() == 0


@pytest.mark.parametrize("wrong", [{"calls": 0}, {"interval": 0}, {"every": 3}])
def test_a_policy_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError):
        CheckpointPolicy.model_validate(wrong)
