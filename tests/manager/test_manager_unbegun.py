"""A call that waits within the host for another one to end is withdrawn without touching that."""

from __future__ import annotations

import asyncio
import threading

import pytest

from nebula_lab.errors import CallCancelledError, PluginCrashedError, PluginTimeoutError

# One async operation makes the manager send the host 64 calls at once; the others still run one at
# a time, on one thread.
PLUGIN = """
def initialize(self, config):
    self.count, self.ran = 0, []
@operation
async def hello(self):
    return "hello"
@operation
async def hold(self, mark: str):
    pathlib.Path(mark).touch()
    try:
        await asyncio.sleep(60)
    finally:
        self.ran.append("hold ended")
@operation
async def cling(self, mark: str):
    pathlib.Path(mark).touch()
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass
@operation
def add(self, name: str = "add") -> int:
    self.ran.append(name)
    self.count += 1
    return self.count
@operation
def seen(self) -> list:
    return self.ran
@operation
def work(self, mark: str, gate: str) -> str:
    pathlib.Path(mark).touch()
    while not pathlib.Path(gate).exists():
        time.sleep(0.002)
    return "done"
@operation
def deaf(self, mark: str, gate: str) -> str:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return self.work(mark, gate)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
@operation
def in_c(self, mark: str):
    pathlib.Path(mark).touch()
    return sum(range(10**12))
@operation
def swallow(self, mark: str):
    pathlib.Path(mark).touch()
    while True:
        try: time.sleep(0.05)
        except KeyboardInterrupt: pass
"""
THREADED = """
@operation
def work(self, mark: str, gate: str) -> str:
    pathlib.Path(mark).touch()
    while not pathlib.Path(gate).exists():
        time.sleep(0.002)
    return "done"
def health_check(self):
    while not pathlib.Path(self.context.config["gate"]).exists():
        time.sleep(0.002)
    return HealthStatus.healthy()
@operation
def pid(self) -> int:
    return os.getpid()
"""


@pytest.fixture(params=["Process", "None"])
def plugins(request, folder):
    folder.plugin("it", PLUGIN)
    with folder.manager(request.param) as manager:
        manager["it"].add(name="first")
        yield manager


@pytest.fixture
def process(folder):
    folder.plugin("it", PLUGIN)
    with folder.manager() as manager:
        manager["it"].add(name="first")
        yield manager


def begun(plugins, callers, wait_until, mark, operation, **params):
    """Make a call on another thread, and wait until it has begun."""
    number = callers.start(plugins.execute, "it", operation, {"mark": str(mark), **params})
    wait_until(mark.exists, f"the beginning of {operation}")
    return number


@pytest.mark.parametrize("busy", ["work", "deaf"])
def test_a_deadline_that_passes_before_the_beginning_leaves_alone_what_runs(
    process, callers, tmp_path, wait_until, busy
):
    gate = tmp_path / "gate"
    begun(process, callers, wait_until, tmp_path / "mark", busy, gate=str(gate))
    with pytest.raises(PluginTimeoutError) as caught:
        process.execute("it", "add", {"name": "late"}, timeout=0.1)
    assert f"since {busy} was running, and was withdrawn" in str(caught.value)
    gate.touch()
    assert callers.join() == ["done"]
    assert process["it"].seen() == ["first"]


def test_the_same_in_this_process(plugins, callers, tmp_path, wait_until):
    gate = tmp_path / "gate"
    begun(plugins, callers, wait_until, tmp_path / "mark", "work", gate=str(gate))
    with pytest.raises(PluginTimeoutError, match="since work was running, and was withdrawn"):
        plugins.execute("it", "add", {"name": "late"}, timeout=0.1)
    gate.touch()
    assert callers.join() == ["done"]
    assert plugins["it"].seen() == ["first"]


@pytest.mark.parametrize("busy", ["work", "deaf"])
def test_cancelling_a_call_that_has_not_begun_leaves_alone_what_runs(
    process, callers, tmp_path, wait_until, busy
):
    gate = tmp_path / "gate"
    begun(process, callers, wait_until, tmp_path / "mark", busy, gate=str(gate))
    waiting = process.begin("it", "add", 30.0)
    callers.start(process.execute_invocation, waiting, {"name": "late"})
    wait_until(lambda: waiting.on_cancel is not None, "the call to be sent")
    waiting.cancel()
    wait_until(lambda: 1 in callers.results, "the end of the call that was cancelled")
    assert isinstance(callers.results[1], CallCancelledError)
    gate.touch()
    assert callers.join()[0] == "done"
    assert process["it"].seen() == ["first"]


def test_an_async_call_that_waits_ends_once_the_thread_is_free(
    process, callers, tmp_path, wait_until
):
    gate, it = tmp_path / "gate", process["it"]
    hold = process.begin("it", "hold", 30.0)
    held = callers.start(process.execute_invocation, hold, {"mark": str(tmp_path / "held")})
    wait_until((tmp_path / "held").exists, "the call that waits")
    begun(process, callers, wait_until, tmp_path / "mark", "work", gate=str(gate))
    hold.cancel()
    wait_until(lambda: held in callers.results, "the end of the call that waited")
    gate.touch()
    assert callers.join()[1] == "done"
    wait_until(lambda: it.seen() == ["first", "hold ended"], "the end of the coroutine")


def test_an_async_call_that_will_not_end_costs_the_process_once_the_thread_is_free(
    process, callers, tmp_path, wait_until
):
    gate = tmp_path / "gate"
    cling = process.begin("it", "cling", 30.0)
    held = callers.start(process.execute_invocation, cling, {"mark": str(tmp_path / "held")})
    wait_until((tmp_path / "held").exists, "the call that waits")
    begun(process, callers, wait_until, tmp_path / "mark", "work", gate=str(gate))
    cling.cancel()
    wait_until(lambda: held in callers.results, "the end of the call that waited")
    gate.touch()
    assert callers.join()[1] == "done"

    def is_another():
        try:
            return process["it"].seen() == []
        except PluginCrashedError as error:  # it had begun in the one that was ended
            assert "killed by the manager: it.cling did not stop" in str(error)
            return False

    wait_until(is_another, "another process")


@pytest.mark.parametrize("busy", ["in_c", "swallow"])
def test_a_call_that_runs_and_does_not_stop_costs_the_process_though_it_came_last(
    process, callers, tmp_path, wait_until, busy
):
    begun(process, callers, wait_until, tmp_path / "held", "hold")
    with pytest.raises(PluginTimeoutError, match="its process was replaced"):
        process.execute("it", busy, {"mark": str(tmp_path / "mark")}, timeout=0.1)
    assert process["it"].seen() == []
    assert f"killed by the manager: it.{busy} did not stop" in str(callers.join()[0])


def test_a_task_that_is_cancelled_before_its_turn_leaves_alone_what_runs(folder, tmp_path):
    from nebula_lab.aio import AsyncPluginManager

    folder.plugin("it", PLUGIN)
    mark, gate = tmp_path / "mark", tmp_path / "gate"

    async def scene() -> None:
        async with AsyncPluginManager(folder.config()) as manager:
            await manager.execute("it", "add", {"name": "first"})
            work = asyncio.create_task(
                manager.execute("it", "work", {"mark": str(mark), "gate": str(gate)})
            )
            while not mark.exists():
                await asyncio.sleep(0.005)
            late = asyncio.create_task(manager.execute("it", "add", {"name": "late"}))
            await asyncio.sleep(0)
            late.cancel()
            with pytest.raises(asyncio.CancelledError):
                await late
            gate.touch()
            assert await work == "done"
            assert await manager.execute("it", "seen") == ["first"]

    asyncio.run(scene())


def test_threads_of_a_plugin_are_left_alone_by_a_call_that_has_not_begun(
    folder, callers, tmp_path, wait_until
):
    """What its main thread runs, here its health check, holds up calls too."""
    gate = tmp_path / "gate"
    folder.plugin("it", THREADED, runtime={"concurrency": 3})
    with folder.manager(global_config={"it": {"gate": str(gate)}}) as plugins:
        pid = plugins["it"].pid()
        mark = tmp_path / "mark"
        params = {"mark": str(mark), "gate": str(gate)}
        callers.start(plugins.execute, "it", "work", params)
        wait_until(mark.exists, "the beginning of the work")
        checking = threading.Thread(
            target=plugins.plugin_health, args=("it",), kwargs={"timeout": 60.0}
        )
        checking.start()
        host = plugins._engine.catalogue.record("it").slots.hosts[0]
        wait_until(lambda: host.executing() != 0, "the health check")
        with pytest.raises(PluginTimeoutError, match="health_check was running"):
            plugins.execute("it", "pid", timeout=0.1)
        gate.touch()
        checking.join()
        assert callers.join() == ["done"]
        assert plugins["it"].pid() == pid


def test_a_thread_that_does_not_end_costs_the_process_though_it_came_last(
    folder, callers, tmp_path, wait_until
):
    gate = tmp_path / "gate"
    folder.plugin("it", THREADED, runtime={"concurrency": 3})
    with folder.manager() as plugins:
        pid = plugins["it"].pid()
        mark = tmp_path / "mark"
        callers.start(plugins.execute, "it", "work", {"mark": str(mark), "gate": str(gate)})
        wait_until(mark.exists, "the beginning of the work")
        with pytest.raises(PluginTimeoutError, match="its process was replaced"):
            late = {"mark": str(tmp_path / "late"), "gate": str(gate)}
            plugins.execute("it", "work", late, timeout=0.5)
        assert plugins["it"].pid() != pid
        assert "killed by the manager" in str(callers.join()[0])
