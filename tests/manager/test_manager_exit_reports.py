"""A host that dies says why, what it was at, and what it had used."""

from __future__ import annotations

import os
import signal

import pytest

from nebula_lab.errors import LoadFailedError, PluginCrashedError
from nebula_lab.model.events import PluginCrashed
from nebula_lab.reports.exit_report import EndCause
from nebula_lab.views import error_box

CRASHER = """
@operation
def pid(self) -> int:
    return os.getpid()
@operation
def segfault(self, text: str = "", rows: list[int] = [], password: str = ""):
    ctypes.string_at(0)
@operation
def leave(self, code: int):
    os._exit(code)
@operation
def compute_and_die(self, seconds: float):
    until = time.process_time() + seconds
    while time.process_time() < until: pass
    os.kill(os.getpid(), signal.SIGKILL)
@operation
def fill_and_die(self, mebibytes: int):
    kept = b"x" * (mebibytes << 20)
    os.kill(os.getpid(), signal.SIGKILL)
@operation
def nap(self, mark: str):
    pathlib.Path(mark).touch()
    time.sleep(30)
"""


@pytest.fixture(scope="module")
def crashers(shared_folder):
    """A folder with the crasher in it, whichever test comes first."""
    shared_folder.plugin("crasher", CRASHER)
    return shared_folder


@pytest.fixture(scope="module")
def plugins(crashers):
    limits = {"resource_limits": {"max_memory": "160MiB"}}
    with crashers.manager(restart={"max_restarts": 1000, "backoff": 0}, security=limits) as manager:
        yield manager


@pytest.fixture
def crashes(plugins):
    """What is known of crashes from now on; that of a test before may still be on its way."""
    found = []

    def note(event):
        if isinstance(event, PluginCrashed):
            found.append(event.report)

    end = plugins.subscribe(note)
    yield found
    end()


def report_of(plugins, operation, **params):
    with pytest.raises(PluginCrashedError) as caught:
        plugins.execute("crasher", operation, params)
    return caught.value.report


def test_a_native_traceback_is_in_the_plugins_own_lines(plugins):
    report = report_of(plugins, "segfault")
    assert report.reason == "killed by SIGSEGV (segmentation fault)"
    assert report.cause is EndCause.SIGNAL
    assert "in segfault\n    ctypes.string_at(0)" in report.native_traceback
    assert "nebula_lab" not in report.native_traceback


def test_what_it_ran_is_summed_up(plugins):
    report = report_of(
        plugins, "segfault", text="x" * 1000, rows=list(range(50)), password="hunter2"
    )
    (call,) = report.calls
    assert str(call) == "segfault(text=<str of 1,000>, rows=<list of 50>, password=<str of 7>)"


def test_the_error_and_its_box_have_it_all_once(plugins):
    with pytest.raises(PluginCrashedError) as caught:
        plugins["crasher"].segfault(text="short")
    box = error_box(caught.value)
    for text in (str(caught.value), box.text):
        assert "segfault(text='short')" in text
        assert text.count("ctypes.string_at(0)") == 1
        assert "MiB in memory" in text
    assert "segfault(text=&#x27;short&#x27;)" in box.html


def test_what_it_had_used_is_measured(plugins):
    usage = report_of(plugins, "compute_and_die", seconds=0.3).usage
    assert usage.processor_time >= 0.3
    assert usage.lived >= 0.3
    assert 10 << 20 < usage.peak_memory < 1 << 30


def test_what_a_guarded_host_had_used_is_measured_too(shared_folder):
    rights = {"capabilities": ["ProcessSpawn", "FileSystem", "MemoryAllocation"]}
    shared_folder.plugin("parent", CRASHER, security=rights)
    with (
        shared_folder.manager(security=rights) as plugins,
        pytest.raises(PluginCrashedError) as caught,
    ):
        plugins["parent"].compute_and_die(seconds=0.3)
    assert caught.value.report.usage.processor_time >= 0.3
    assert caught.value.report.usage.peak_memory > 10 << 20


def test_a_kernel_that_was_not_forked_is_measured_too(crashers):
    with crashers.manager(zygote={"enabled": False}) as plugins:
        usage = report_of(plugins, "compute_and_die", seconds=0.3).usage
    assert usage.processor_time >= 0.3
    assert usage.peak_memory > 10 << 20


def test_an_end_whose_usage_nobody_tells_is_reported_all_the_same(crashers, wait_until):
    with crashers.manager() as plugins:
        plugins["crasher"].pid()
        launcher = plugins._engine.sandboxes.usual.launcher
        parent = launcher.zygote_pid
        os.kill(parent, signal.SIGKILL)
        # One that was killed in the middle of an import has a successor at once.
        wait_until(lambda: launcher.zygote_pid != parent, "the zygote is gone")
        report = report_of(plugins, "leave", code=3)
    assert report.usage.peak_memory is None
    assert report.usage.lived > 0


def test_a_kill_from_outside_is_named_as_such(plugins):
    report = report_of(plugins, "compute_and_die", seconds=0.0)
    assert report.reason == "killed by SIGKILL (from outside)"
    assert report.cause is EndCause.SIGNAL


def test_a_kill_with_the_memory_at_its_limit_is_most_likely_for_want_of_it(plugins):
    report = report_of(plugins, "fill_and_die", mebibytes=152)
    assert report.cause is EndCause.OUT_OF_MEMORY
    assert "most likely out of memory" in report.reason
    assert "may use 160 MiB: max_memory" in report.reason


def test_an_exit_code_is_no_signal(plugins):
    report = report_of(plugins, "leave", code=7)
    assert (report.cause, report.exit_code, report.signal_name) == (EndCause.EXITED, 7, "")


def test_an_end_while_idle_is_an_event_and_says_that_nothing_ran(plugins, crashes, wait_until):
    plugins["crasher"].pid()
    os.kill(pid_of(plugins), signal.SIGSEGV)
    wait_until(lambda: [one for one in crashes if not one.calls], "the event")
    (report,) = [one for one in crashes if not one.calls]
    assert report.signal_name == "SIGSEGV"


def test_the_event_of_a_crash_has_the_call_that_ran(plugins, crashes, wait_until):
    report = report_of(plugins, "compute_and_die", seconds=0.125)
    wait_until(lambda: report in crashes, "the event")
    assert report.was_running == "compute_and_die(seconds=0.125)"


def test_a_host_that_is_killed_by_another_while_it_runs_says_what_it_ran(
    plugins, callers, tmp_path, wait_until
):
    plugins["crasher"].pid()
    mark = tmp_path / "begun"
    callers.start(plugins.execute, "crasher", "nap", {"mark": str(mark)})
    wait_until(mark.exists, "the call began")
    os.kill(pid_of(plugins), signal.SIGABRT)
    (error,) = callers.join()
    assert isinstance(error, PluginCrashedError)
    assert "SIGABRT (aborted by C code, or by Python itself)" in error.report.reason
    assert "time.sleep(30)" in error.report.native_traceback


def test_a_crash_while_loading_shows_the_plugins_own_lines(folder):
    folder.plugin("early", "def initialize(self, config):\n    ctypes.string_at(0)")
    with folder.manager() as plugins, pytest.raises(LoadFailedError) as caught:
        plugins.load_plugin("early")
    assert "in initialize\n    ctypes.string_at(0)" in caught.value.remote_traceback


def pid_of(plugins):
    return {info.id: info for info in plugins.list_plugins()}["crasher"].pid
