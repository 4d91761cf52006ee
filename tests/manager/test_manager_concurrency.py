"""Many callers at once: nothing is lost, and each plugin runs what it can take."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from nebula_lab.errors import CallCancelledError, PluginTimeoutError, QueueFullError

THREADS, CALLS = 8, 400

COUNTER = """
def initialize(self, config):
    self.count = 0
@operation
def add(self, n: int = 1) -> int:
    self.count += n
    return self.count
@operation
def fail(self):
    raise ValueError("no")
"""
RECORDER = """
def initialize(self, config):
    self.spans, self.inside, self.most = [], 0, 0
@operation
def work(self, name: str = "", seconds: float = 0.0, gate: str = "", mark: str = ""):
    self.inside += 1
    self.most = max(self.most, self.inside)
    if mark:
        pathlib.Path(mark).touch()
    while gate and not pathlib.Path(gate).exists():
        time.sleep(0.002)
    time.sleep(seconds)
    self.inside -= 1
    self.spans.append(name)
    return name
@operation
def seen(self):
    seen, self.spans = {"names": self.spans, "most": self.most}, []
    return seen
@operation
def pid(self, item: int, others: str = "", wait_for: int = 0):
    folder = pathlib.Path(others)
    if wait_for:
        (folder / str(item)).touch()
        while len(list(folder.iterdir())) < wait_for:
            time.sleep(0.002)
    return [item, os.getpid()]
"""
MEETING = """
def initialize(self, config):
    self.met = threading.Barrier(3)
@operation
def meet(self):
    return self.met.wait(30) >= 0
"""
ASYNC_MEETING = """
def initialize(self, config):
    self.waiting, self.all_there = 0, None
@operation
async def meet(self):
    self.all_there = self.all_there or asyncio.Event()
    self.waiting += 1
    if self.waiting == 3:
        self.all_there.set()
    await asyncio.wait_for(self.all_there.wait(), 30)
    return True
@operation
async def forever(self, mark: str):
    pathlib.Path(mark).touch()
    await asyncio.sleep(60)
@operation
async def here(self):
    return True
"""


@pytest.fixture(scope="module", params=["Process", "None"])
def plugins(request, shared_folder):
    for number in range(4):
        shared_folder.plugin(f"counter{number}", COUNTER)
    shared_folder.plugin("serial", RECORDER)
    shared_folder.plugin("meeting", MEETING, runtime={"concurrency": 3})
    shared_folder.plugin("asynchronous", ASYNC_MEETING)
    with shared_folder.manager(request.param, queue_size=200) as manager:
        yield manager


@pytest.fixture(scope="module")
def storm(plugins):
    """Eight threads with many calls each on four plugins, one call in ten failing."""
    failed: list[BaseException] = []

    def call_all(seed: int) -> None:
        try:
            for number in range(CALLS):
                plugin = f"counter{(seed + number) % 4}"
                if number % 10 == 9:
                    with pytest.raises(Exception, match="no"):
                        plugins.execute(plugin, "fail")
                else:
                    plugins.execute(plugin, "add", {"n": 1})
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=call_all, args=(seed,)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    return plugins.metrics()


def test_eight_threads_lose_no_call(plugins, storm):
    counts = [plugins.execute(f"counter{number}", "add", {"n": 0}) for number in range(4)]
    assert sum(counts) == THREADS * CALLS * 9 // 10


def test_eight_threads_lose_no_call_in_the_metrics(storm):
    metrics = [storm.plugins[f"counter{number}"] for number in range(4)]
    assert sum(one.executions for one in metrics) == THREADS * CALLS
    assert sum(one.failures for one in metrics) == THREADS * CALLS // 10
    assert sum(one.operations["fail"].failures for one in metrics) == THREADS * CALLS // 10
    assert sum(one.operations["add"].duration.count for one in metrics) == THREADS * CALLS * 0.9


def test_the_totals_are_the_sums_over_the_plugins(storm):
    assert storm.executions_total == sum(one.executions for one in storm.plugins.values())
    assert storm.failures_total == sum(one.failures for one in storm.plugins.values())


def test_the_quantiles_of_durations_are_in_order_and_within_bounds(storm):
    duration = storm.plugins["counter0"].operations["add"].duration
    steps = [duration.smallest, duration.p50, duration.p95, duration.p99, duration.largest]
    assert steps[0] > 0
    assert steps == sorted(steps)
    assert duration.total == pytest.approx(duration.mean * duration.count)


def test_a_known_duration_is_measured(plugins):
    began = time.monotonic()
    plugins["serial"].work(seconds=0.2)
    took = time.monotonic() - began
    measured = plugins.metrics().plugins["serial"].operations["work"].duration
    assert 0.19 < measured.largest <= took


def waiting(plugins, plugin_id: str) -> int:
    return plugins._engine.catalogue.record(plugin_id).slots.queue_length


def block(plugins, callers, tmp_path, wait_until, timeout=None):
    """Occupy the serial plugin; the file whose appearance lets it go."""
    gate, mark = tmp_path / "gate", tmp_path / "begun"
    params = {"name": "first", "gate": str(gate), "mark": str(mark)}
    callers.start(lambda: plugins.execute("serial", "work", params, timeout=timeout))
    wait_until(mark.exists, "the first call began")
    return gate


def test_a_serial_host_runs_one_operation_at_a_time_first_come_first_served(
    plugins, callers, tmp_path, wait_until
):
    plugins["serial"].seen()
    gate = block(plugins, callers, tmp_path, wait_until)
    names = [f"call {number}" for number in range(10)]
    for number, name in enumerate(names):
        callers.start(plugins.execute, "serial", "work", {"name": name})
        wait_until(lambda n=number: waiting(plugins, "serial") == n + 1, "the call waits")
    gate.touch()
    callers.join()
    assert plugins["serial"].seen() == {"names": ["first", *names], "most": 1}


def test_a_full_queue_is_an_error_at_once(shared_folder, callers, tmp_path, wait_until):
    with shared_folder.manager("None", queue_size=2) as plugins:
        plugins.load_plugin("serial")
        gate = block(plugins, callers, tmp_path, wait_until)
        for number in range(2):
            callers.start(plugins.execute, "serial", "work", {"name": f"{number}"})
            wait_until(lambda n=number: waiting(plugins, "serial") == n + 1, "the call waits")
        started = time.monotonic()
        with pytest.raises(QueueFullError, match="2 calls wait"):
            plugins.execute("serial", "work", {"name": "too many"})
        assert time.monotonic() - started < 10
        gate.touch()
        assert callers.join() == ["first", "0", "1"]


def test_a_deadline_that_passes_in_the_queue_withdraws_the_call_and_interrupts_nothing(
    plugins, callers, tmp_path, wait_until
):
    plugins["serial"].seen()
    gate = block(plugins, callers, tmp_path, wait_until)
    with pytest.raises(PluginTimeoutError, match="withdrawn"):
        plugins.execute("serial", "work", {"name": "withdrawn"}, timeout=0.2)
    gate.touch()
    assert callers.join() == ["first"]
    assert plugins["serial"].seen()["names"] == ["first"]


def test_a_call_that_is_cancelled_in_the_queue_never_runs(plugins, callers, tmp_path, wait_until):
    plugins["serial"].seen()
    gate = block(plugins, callers, tmp_path, wait_until)
    invocation = plugins.begin("serial", "work")
    callers.start(plugins.execute_invocation, invocation, {"name": "cancelled"})
    wait_until(lambda: waiting(plugins, "serial") == 1, "the call waits")
    invocation.cancel()
    wait_until(lambda: waiting(plugins, "serial") == 0, "the call is withdrawn")
    gate.touch()
    first, cancelled = callers.join()
    assert (first, type(cancelled)) == ("first", CallCancelledError)
    assert plugins["serial"].seen()["names"] == ["first"]


def test_a_call_that_was_cancelled_before_it_began_does_not_run(plugins):
    plugins["serial"].seen()
    invocation = plugins.begin("serial", "work")
    invocation.cancel()
    with pytest.raises(CallCancelledError):
        plugins.execute_invocation(invocation, {"name": "never"})
    assert plugins["serial"].seen()["names"] == []


@pytest.mark.parametrize("plugin", ["meeting", "asynchronous"])
def test_operations_overlap_where_the_plugin_allows_it(plugins, callers, plugin):
    plugins.load_plugin(plugin)
    for _ in range(3):
        callers.start(plugins.execute, plugin, "meet")
    assert callers.join() == [True, True, True]


def test_cancelling_one_async_operation_leaves_the_others(plugins, callers, tmp_path, wait_until):
    invocation = plugins.begin("asynchronous", "forever")
    mark = tmp_path / "begun"
    callers.start(plugins.execute_invocation, invocation, {"mark": str(mark)})
    wait_until(mark.exists, "the operation began")
    assert plugins["asynchronous"].here()
    invocation.cancel()
    assert isinstance(callers.join()[0], CallCancelledError)
    assert plugins["asynchronous"].here()


@pytest.fixture(scope="module")
def replicated(shared_folder):
    shared_folder.plugin("serial", RECORDER)
    shared_folder.plugin("replicated", RECORDER, runtime={"replicas": 2})
    with shared_folder.manager() as manager:
        yield manager


def test_map_keeps_the_order(replicated):
    params = ({"item": number} for number in range(100))
    items = [item for item, _ in replicated.map("replicated", "pid", params)]
    assert items == list(range(100))


def test_map_uses_all_replicas_at_once(replicated, tmp_path):
    others = tmp_path / "others"
    others.mkdir()
    params = [{"item": n, "others": str(others), "wait_for": 2} for n in range(2)]
    pids = {pid for _, pid in replicated.map("replicated", "pid", params)}
    assert len(pids) == 2


def test_map_reads_params_without_end_as_results_are_taken(replicated):
    def endless():
        number = 0
        while True:
            yield {"item": number}
            number += 1

    results = replicated.map("replicated", "pid", endless())
    assert [next(results)[0] for _ in range(5)] == [0, 1, 2, 3, 4]
    results.close()


def test_an_interrupt_while_a_call_waits_withdraws_it(plugins, callers, tmp_path, wait_until):
    gate = block(plugins, callers, tmp_path, wait_until)
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        wait_until(lambda: waiting(plugins, "serial") == 1, "the call waits")
        signal.pthread_kill(main, signal.SIGINT)

    callers.start(interrupt)
    with pytest.raises(KeyboardInterrupt):
        plugins.execute("serial", "work", {"name": "withdrawn"})
    assert waiting(plugins, "serial") == 0
    gate.touch()
    callers.join()
    assert plugins["serial"].work(name="next") == "next"
