"""How soon a plugin that keeps crashing is started again."""

from __future__ import annotations

import pytest

from nebula_lab.errors import PluginCrashedError, PluginError
from nebula_lab.model import RestartPolicy
from nebula_lab.model.events import PluginRestarted
from nebula_lab.runtime.backoff import delay_before

CRASHER = """
@operation
def die(self): os._exit(1)
@operation
def pid(self) -> int: return os.getpid()
"""


def test_the_first_restart_comes_at_once():
    assert delay_before(1, RestartPolicy()) == 0.0


def test_each_further_one_takes_up_to_twice_as_long():
    policy = RestartPolicy(backoff=1.0, max_backoff=1000.0)
    for crashes, longest in ((2, 1.0), (3, 2.0), (4, 4.0), (5, 8.0)):
        delays = [delay_before(crashes, policy) for _ in range(200)]
        assert longest / 2 <= min(delays) < max(delays) <= longest


def test_there_is_a_longest_delay():
    policy = RestartPolicy(max_restarts=10_000, backoff=1.0, max_backoff=3.0)
    assert delay_before(5_000, policy) <= 3.0


def test_the_second_restart_waits(folder, wait_until):
    folder.plugin("crasher", CRASHER)
    seen: list[object] = []
    with folder.manager(restart={"backoff": 1.0}) as plugins:
        plugins.subscribe(seen.append)
        for _ in range(2):
            with pytest.raises(PluginCrashedError):
                plugins["crasher"].die()
        plugins["crasher"].pid()
        wait_until(lambda: len(restarts(seen)) == 2, "two restarts")
    _, second = restarts(seen)
    assert second.duration > 0.5


def test_a_reload_does_not_wait_for_it(folder):
    folder.plugin("crasher", CRASHER)
    with folder.manager(restart={"backoff": 600.0, "max_backoff": 600.0}) as plugins:
        for _ in range(2):
            with pytest.raises(PluginCrashedError):
                plugins["crasher"].die()
        plugins.reload_plugin("crasher")
        assert plugins["crasher"].pid() > 0


def test_nor_does_the_end_of_the_manager(folder, callers):
    folder.plugin("crasher", CRASHER)
    with folder.manager(restart={"backoff": 600.0, "max_backoff": 600.0}) as plugins:
        for _ in range(2):
            with pytest.raises(PluginCrashedError):
                plugins["crasher"].die()
        callers.start(plugins.execute, "crasher", "pid")
    assert isinstance(callers.join()[0], PluginError)


def restarts(seen: list[object]) -> list[PluginRestarted]:
    return [event for event in seen if isinstance(event, PluginRestarted)]
