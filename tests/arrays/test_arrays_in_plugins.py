"""Arrays in the calls of real plugins, in both sandboxes."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import polars as pl
import psutil
import pytest
from channel_ends import descriptors, segments_here

from nebula_lab.errors import (
    CallCancelledError,
    InvalidParamsError,
    PluginCrashedError,
    PluginTimeoutError,
    UnsupportedValueError,
)
from nebula_lab.link import carriage

ARRAY = np.arange(100_000.0)
METHODS = """
def initialize(self, config):
    self.kept = []

@operation
def echo(self, value):
    return value

@operation
def double(self, value: np.ndarray) -> np.ndarray:
    return value * 2

@operation
def keep(self, value):
    self.kept.append(value)
    return float(value.sum())

@operation
def total(self, values: list[float]) -> float:
    return sum(values)

@operation
def sums(self) -> list[float]:
    return [float(one.sum()) for one in self.kept]

@operation
def forget(self):
    self.kept.clear()

@operation
def can_write(self, value) -> bool:
    return bool(value.flags.writeable)

@operation
def stream(self, n: int, items: int):
    for item in range(items):
        yield {"item": item, "values": np.full(n, item, "f4")}

@operation
def crash(self, value):
    os._exit(3)

@operation
def hang(self, value):
    self.kept.append(value)
    while True:
        time.sleep(0.01)

@operation
def objects(self):
    return {"rows": [1, np.array([object()])]}

@operation
def ask(self, value):
    return self.context.call("other", "double", {"value": value})

@operation
def without(self, value, package: str):
    import sys
    sys.modules[package] = None

@operation
def segments(self) -> int:
    found = 0
    for entry in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{entry}")
            found += "/memfd:nebula-" in target and "-stacks" not in target
        except OSError:
            pass
    return found

@operation
def memory(self) -> int:
    return int(open("/proc/self/statm").read().split()[1]) * 4096

def save_state(self):
    return {"kept": self.kept}

def restore_state(self, state):
    self.kept = [one + 0 for one in state["kept"]]
"""


@pytest.fixture(params=["Process", "None"])
def sandbox(request):
    return request.param


@pytest.fixture
def plugins(write, manage, sandbox):
    write("calc", METHODS, dependencies=["other"])
    write("other", METHODS)
    return manage(sandbox, grace=0.5)


@pytest.fixture
def in_process(write, manage):
    """The same with plugins in processes of their own alone."""
    write("calc", METHODS, dependencies=["other"])
    write("other", METHODS)
    return manage("Process", grace=0.5)


def test_arrays_go_there_and_back_at_any_depth(plugins):
    for n in range(6):
        value = {"a": [ARRAY + n, {"b": np.arange(5), "c": "x"}], "d": np.float32(1.5)}
        back = plugins.execute("calc", "echo", {"value": value})
        assert (back["a"][0] == ARRAY + n).all()
        assert (back["a"][1]["b"] == np.arange(5)).all()
        assert (back["d"], type(back["d"])) == (1.5, np.float32)


def test_an_operation_with_hints_for_arrays_takes_and_gives_them(plugins):
    for size in (10, 100_000):
        assert (plugins["calc"].double(value=np.arange(size)) == 2 * np.arange(size)).all()


def test_frames_go_there_and_back(plugins):
    frame = pd.DataFrame({"a": ARRAY, "b": ["x"] * len(ARRAY)}, index=pd.Index(ARRAY, name="i"))
    for _ in range(3):
        pd.testing.assert_frame_equal(plugins.execute("calc", "echo", {"value": frame}), frame)
    polar = pl.DataFrame({"a": ARRAY})
    assert plugins.execute("calc", "echo", {"value": polar}).equals(polar)


def test_params_are_read_only_and_results_are_not(plugins):
    for size in (10, 100_000):
        assert not plugins.execute("calc", "can_write", {"value": np.arange(size)})
        assert plugins.execute("calc", "echo", {"value": np.arange(size)}).flags.writeable


def test_what_a_plugin_keeps_stays_what_it_was(plugins):
    for n in range(10):
        plugins.execute("calc", "keep", {"value": np.full(50_000, n)})
    assert plugins.execute("calc", "sums") == [50_000.0 * n for n in range(10)]
    plugins.execute("calc", "forget")


def test_a_stream_gives_arrays(plugins):
    with plugins.execute("calc", "stream", {"n": 50_000, "items": 40}) as items:
        for number, item in enumerate(items):
            assert item["item"] == number
            assert (item["values"] == number).all()


def test_a_stream_that_is_left_half_way_costs_nothing(plugins):
    for _ in range(5):
        with plugins.execute("calc", "stream", {"n": 50_000, "items": 40}) as items:
            next(items)
        assert (plugins.execute("calc", "echo", {"value": ARRAY}) == ARRAY).all()


def test_a_plugin_passes_arrays_to_another(plugins):
    for _ in range(4):
        assert (plugins.execute("calc", "ask", {"value": ARRAY}) == 2 * ARRAY).all()


def test_arrays_are_part_of_the_state_that_a_reload_moves(plugins):
    plugins.execute("calc", "keep", {"value": ARRAY})
    plugins.reload_plugin("calc")
    assert plugins.execute("calc", "sums") == [ARRAY.sum()]
    for _ in range(3):
        assert (plugins.execute("calc", "echo", {"value": ARRAY}) == ARRAY).all()


def test_an_array_of_objects_in_a_result_is_named_by_its_path(plugins):
    with pytest.raises(UnsupportedValueError, match=r"result\.rows\[1\]: an array of .* object"):
        plugins.execute("calc", "objects")


def test_an_array_where_a_list_is_asked_for_is_refused(plugins):
    with pytest.raises(InvalidParamsError, match=r"params\.values"):
        plugins.execute("calc", "total", {"values": ARRAY})


def test_a_package_that_the_plugin_lacks_is_named(in_process):
    in_process.execute("calc", "without", {"value": 0, "package": "polars"})
    with pytest.raises(UnsupportedValueError, match="params: a value that needs polars") as caught:
        in_process.execute("calc", "echo", {"value": pl.Series([1])})
    assert caught.value.plugin_id == "calc"
    assert in_process.execute("calc", "echo", {"value": 1}) == 1


def test_a_package_that_the_manager_lacks_is_named(in_process, monkeypatch):
    import sys

    in_process.execute("calc", "echo", {"value": 1})
    series = pl.Series([1])
    monkeypatch.setitem(sys.modules, "polars", _Lacking(sys.modules["polars"]))
    with pytest.raises(UnsupportedValueError, match="result: a value that needs polars") as caught:
        in_process.execute("calc", "echo", {"value": series})
    assert caught.value.plugin_id == "calc"


class _Lacking:
    """Stands for polars until it is asked for what reading a frame needs."""

    def __init__(self, package) -> None:
        self._package = package

    def __getattr__(self, name):
        if name == "from_arrow":
            raise ModuleNotFoundError("No module named 'polars'", name="polars")
        return getattr(self._package, name)


def test_a_crash_with_arrays_in_use_leaves_nothing(in_process):
    for _ in range(3):
        for _ in range(3):
            in_process.execute("calc", "echo", {"value": ARRAY})
        with pytest.raises(PluginCrashedError):
            in_process.execute("calc", "crash", {"value": ARRAY})
    assert (in_process.execute("calc", "echo", {"value": ARRAY}) == ARRAY).all()
    in_process.unload_plugin("calc")
    assert segments_here() == []


def test_a_deadline_with_arrays_in_use_leaves_them_to_the_plugin(plugins):
    for _ in range(3):
        plugins.execute("calc", "echo", {"value": ARRAY})
    with pytest.raises(PluginTimeoutError):
        plugins.execute("calc", "hang", {"value": ARRAY}, timeout=0.3)
    for n in range(4):
        assert (plugins.execute("calc", "echo", {"value": ARRAY + n}) == ARRAY + n).all()
    assert plugins.execute("calc", "sums") in ([ARRAY.sum()], [])  # [] if it had to be replaced


def test_a_cancelled_call_with_arrays_in_use_costs_nothing(in_process, wait_until):
    for _ in range(3):
        in_process.execute("calc", "echo", {"value": ARRAY})
    calls = [in_process.begin("calc", "hang", 20.0) for _ in range(3)]
    for call in calls:
        failures = []

        def run(call=call, failures=failures):
            try:
                in_process._engine.calls.run(call, {"value": ARRAY})
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        wait_until(lambda call=call: call.on_cancel is not None, "the call")
        call.cancel()
        thread.join(10)
        assert [type(failure) for failure in failures] == [CallCancelledError]
    assert (in_process.execute("calc", "echo", {"value": ARRAY}) == ARRAY).all()


def test_without_shared_memory_everything_goes_over_the_socket(write, manage, sandbox, monkeypatch):
    monkeypatch.setattr(carriage, "SUPPORTED", False)
    write("calc", METHODS, dependencies=["other"])
    write("other", METHODS)
    plugins = manage(sandbox)
    for _ in range(4):
        assert (plugins.execute("calc", "ask", {"value": ARRAY}) == 2 * ARRAY).all()
    with plugins.execute("calc", "stream", {"n": 50_000, "items": 5}) as items:
        assert [float(item["values"][-1]) for item in items] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert not plugins.execute("calc", "can_write", {"value": ARRAY})
    assert segments_here() == []


def test_four_threads_pass_arrays_to_one_plugin_at_once(write, manage, sandbox):
    write("calc", METHODS, dependencies=["other"], runtime={"concurrency": 4})
    write("other", METHODS)
    plugins = manage(sandbox)
    failures = []

    def calls(thread):
        try:
            for n in range(25):
                array = np.full(20_000 + 1000 * thread, 100 * thread + n)
                assert (plugins.execute("calc", "echo", {"value": array}) == array).all()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=calls, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures


def test_ten_thousand_calls_with_a_megabyte_leave_as_much_as_before(in_process):
    """As many descriptors and as much memory, here and in the plugin."""
    array = np.arange(131_072.0)

    def call(times):
        for _ in range(times):
            in_process.execute("calc", "echo", {"value": array})

    def there():
        here = psutil.Process()
        return (
            descriptors(),
            in_process.execute("calc", "segments"),
            here.memory_info().rss,
            in_process.execute("calc", "memory"),
        )

    call(300)
    before = there()
    call(10_000)
    after = there()
    assert after[:2] == before[:2]
    assert after[2] - before[2] < 10_000_000
    assert after[3] - before[3] < 10_000_000


def test_what_is_idle_is_given_back_after_a_while(in_process, monkeypatch, wait_until):
    monkeypatch.setattr("nebula_lab.transport.host_link._TRIM", 0.1)
    seen = []
    for _ in range(4):
        in_process.execute("calc", "echo", {"value": ARRAY})
        seen += segments_here()
    assert seen
    wait_until(lambda: not segments_here(), "the segments' end")
    assert in_process.execute("calc", "segments") == 0
    assert (in_process.execute("calc", "echo", {"value": ARRAY}) == ARRAY).all()


def test_a_plugin_that_passes_only_plain_values_imports_no_package(manage, folder):
    (folder / "plain.py").write_text(
        "import sys\nfrom nebula_lab.plugin import Plugin, operation\n"
        'PLUGIN_METADATA = {"id": "plain", "version": "1.0.0"}\n'
        "class It(Plugin):\n"
        "    @operation\n"
        "    def imported(self, value) -> list[str]:\n"
        '        names = ("numpy", "pandas", "polars", "pyarrow")\n'
        "        return [name for name in names if name in sys.modules]\n"
        "def plugin_entry(): return It()\n"
    )
    plugins = manage(zygote={"enabled": False})  # which would import numpy for all
    assert plugins.execute("plain", "imported", {"value": {"a": [1, b"x" * 100_000]}}) == []
