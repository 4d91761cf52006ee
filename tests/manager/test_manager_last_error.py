"""What the metrics of a plugin say went wrong last."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from nebula_lab import PluginState
from nebula_lab.errors import (
    CallCancelledError,
    ExecutionFailedError,
    InvalidParamsError,
    LoadFailedError,
    PluginCrashedError,
)

FALLIBLE = """
@operation
def add(self, n: int = 1) -> int:
    return n
@operation
def boom(self, why: str = "no more"):
    raise ValueError(why)
@operation
def breaking(self):
    yield 1
    raise ValueError("no second")
@operation
def die(self):
    os._exit(3)
@operation
def wait(self):
    self.context.progress(1, 2)
    time.sleep(60)
"""
CALLER = """
@operation
def ask(self):
    return self.context.call("fallible", "boom", {"why": "asked by another"})
"""


@pytest.fixture(scope="module")
def plugins(shared_folder):
    shared_folder.plugin("fallible", FALLIBLE)
    shared_folder.plugin("caller", CALLER, dependencies=["fallible"])
    with shared_folder.manager(restart={"backoff": 0}) as manager:
        yield manager


def last_error(plugins, plugin_id="fallible"):
    return plugins.plugin_metrics(plugin_id, usage=False).last_error


def test_a_failed_call_is_named_with_its_time(plugins):
    before = datetime.now(UTC)
    with pytest.raises(ExecutionFailedError):
        plugins.execute("fallible", "boom", {"why": "first line\nsecond"})
    found = plugins.metrics().plugins["fallible"]
    assert found.last_error == "boom: ValueError: first line"
    assert found.last_error_at is not None
    assert before <= found.last_error_at <= datetime.now(UTC)
    plugins.execute("fallible", "add")
    assert last_error(plugins) == found.last_error  # a call that succeeds takes nothing back


def test_a_stream_that_breaks_is_named(plugins):
    with pytest.raises(ExecutionFailedError):
        list(plugins.execute("fallible", "breaking"))
    assert last_error(plugins) == "breaking: ValueError: no second"


def test_params_that_do_not_fit_are_no_error_of_the_plugins(plugins):
    before = last_error(plugins)
    with pytest.raises(InvalidParamsError):
        plugins.execute("fallible", "add", {"n": "x"})
    assert last_error(plugins) == before


def test_a_call_that_is_cancelled_is_no_error(plugins):
    before = last_error(plugins)
    call = plugins.begin("fallible", "wait", timeout=60)
    is_running = threading.Event()
    call.sink.progress = lambda *step: is_running.set()
    stopper = threading.Thread(target=lambda: is_running.wait(60) and call.cancel())
    stopper.start()
    with pytest.raises(CallCancelledError):
        plugins.execute_invocation(call, {})
    stopper.join()
    assert last_error(plugins) == before


def test_a_failed_call_between_plugins_is_an_error_of_both(plugins):
    with pytest.raises(ExecutionFailedError):
        plugins.execute("caller", "ask")
    assert last_error(plugins) == "boom: ValueError: asked by another"
    assert last_error(plugins, "caller").startswith("ask: ")


def test_a_crash_stays_the_last_error_until_somebody_loads_the_plugin_anew(plugins, wait_until):
    restarts = plugins.plugin_metrics("fallible").restarts
    with pytest.raises(PluginCrashedError):
        plugins.execute("fallible", "die")
    wait_until(lambda: plugins.plugin_metrics("fallible").restarts > restarts, "its restart")
    assert "exited with code 3" in last_error(plugins)
    plugins.suspend_plugin("fallible")
    plugins.resume_plugin("fallible")
    assert last_error(plugins)
    plugins.unload_plugin("fallible", cascade=True)
    assert last_error(plugins)
    plugins.load_plugin("fallible")
    assert not last_error(plugins)


def test_code_that_does_not_come_up_is_the_last_error(plugins, shared_folder):
    path = shared_folder.write("unloadable", "raise RuntimeError('not today')")
    plugins.rediscover()
    with pytest.raises(LoadFailedError):
        plugins.execute("unloadable", "add")
    assert plugins.plugin_info("unloadable").state is PluginState.FAILED
    assert last_error(plugins, "unloadable").startswith("RuntimeError: not today")
    path.unlink()
    plugins.rediscover()
