"""Calls that take too long are stopped in time, and the plugin serves again."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from nebula_lab.errors import CallCancelledError, PluginTimeoutError

SLACK = 10.0  # seconds for a busy machine, above the deadline and the grace
PATIENT = 20.0  # seconds: a grace for what gives way, however busy the machine is
STUCK = """
def initialize(self, config):
    self.count = 0
@operation
def count_up(self) -> int:
    self.count += 1
    return self.count
@operation
def sleep(self, mark: str = ""):
    if mark: pathlib.Path(mark).touch()
    time.sleep(30)
@operation
def spin(self, mark: str = ""):
    if mark: pathlib.Path(mark).touch()
    while True: pass
@operation
def wait(self, mark: str = ""):
    if mark: pathlib.Path(mark).touch()
    threading.Event().wait()
@operation
def swallow(self, mark: str = ""):
    if mark: pathlib.Path(mark).touch()
    while True:
        try: time.sleep(0.05)
        except KeyboardInterrupt: pass
@operation
def in_c(self, mark: str = ""):
    if mark: pathlib.Path(mark).touch()
    return sum(range(10**12))
@operation
def wait_in_c(self, pipe: str):
    open(pipe).close()  # waits for somebody who writes
"""


@pytest.fixture(scope="module")
def plugins(shared_folder):
    shared_folder.plugin("stuck", STUCK)
    with shared_folder.manager(restart={"max_restarts": 0}) as manager:
        manager.load_plugin("stuck")
        yield manager


@pytest.fixture(scope="module")
def patient(shared_folder):
    """Ends no process, unless a call does not give way at all."""
    shared_folder.plugin("stuck", STUCK)
    with shared_folder.manager(restart={"max_restarts": 0}, grace=PATIENT) as manager:
        manager.load_plugin("stuck")
        yield manager


GIVES_WAY = ["sleep", "spin", "wait"]
DEAF = ["swallow", "in_c"]


@pytest.mark.parametrize("how", GIVES_WAY)
def test_what_gives_way_is_interrupted_at_its_deadline_and_keeps_its_state(patient, how):
    before = patient["stuck"].count_up()
    started = time.monotonic()
    with pytest.raises(PluginTimeoutError, match=r"no answer within 0\.2 s"):
        patient.execute("stuck", how, timeout=0.2)
    assert time.monotonic() - started < 0.2 + SLACK
    assert patient["stuck"].count_up() == before + 1


@pytest.mark.parametrize("how", DEAF)
def test_what_does_not_give_way_is_ended_and_the_plugin_starts_again(plugins, how):
    plugins["stuck"].count_up()
    started = time.monotonic()
    with pytest.raises(PluginTimeoutError, match="its process was replaced"):
        plugins.execute("stuck", how, timeout=0.2)
    assert time.monotonic() - started < 0.2 + plugins.config.grace + SLACK
    assert plugins["stuck"].count_up() == 1


def test_hosts_that_we_ended_cost_nothing_of_the_restart_budget(plugins):
    restarts = plugins.metrics().restarts_total
    with pytest.raises(PluginTimeoutError):
        plugins.execute("stuck", "in_c", timeout=0.2)
    assert plugins["stuck"].count_up() == 1
    assert plugins.metrics().restarts_total == restarts


def test_a_timed_out_call_says_where_it_was(patient):
    with pytest.raises(PluginTimeoutError) as caught:
        patient.execute("stuck", "sleep", timeout=0.2)
    assert "time.sleep(30)" in caught.value.remote_traceback


def test_a_timeout_is_a_timeout_error_of_python(patient):
    with pytest.raises(TimeoutError):
        patient.execute("stuck", "sleep", timeout=0.1)


def test_a_timeout_of_the_configuration_holds_where_the_call_has_none(folder):
    folder.plugin("stuck", STUCK)
    with (
        folder.manager("None", timeout=0.3) as plugins,
        pytest.raises(PluginTimeoutError, match=r"0\.3 s"),
    ):
        plugins.execute("stuck", "spin")


@pytest.mark.parametrize("how", ["sleep", "in_c"])
def test_an_interrupt_in_the_calling_thread_interrupts_the_plugin(
    plugins, tmp_path, wait_until, how
):
    mark = tmp_path / "begun"
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        wait_until(mark.exists, "the call began")
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        plugins.execute("stuck", how, {"mark": str(mark)}, timeout=25)
    thread.join()
    assert plugins["stuck"].count_up() >= 1


@pytest.mark.parametrize("how", [*GIVES_WAY, *DEAF])
def test_a_cancelled_call_ends_within_the_grace(plugins, callers, tmp_path, wait_until, how):
    mark = tmp_path / "begun"
    invocation = plugins.begin("stuck", how, 25)
    callers.start(plugins.execute_invocation, invocation, {"mark": str(mark)})
    wait_until(mark.exists, "the call began")
    started = time.monotonic()
    invocation.cancel()
    assert isinstance(callers.join()[0], CallCancelledError)
    assert time.monotonic() - started < plugins.config.grace + SLACK
    assert plugins["stuck"].count_up() >= 1


def test_cancel_works_more_than_once(patient, callers, tmp_path, wait_until):
    for number in range(3):
        mark = tmp_path / f"begun{number}"
        invocation = patient.begin("stuck", "sleep", 25)
        callers.start(patient.execute_invocation, invocation, {"mark": str(mark)})
        wait_until(mark.exists, "the call began")
        invocation.cancel()
    assert [type(result) for result in callers.join()] == [CallCancelledError] * 3


def test_in_this_process_a_loop_is_interrupted_at_its_deadline(folder):
    folder.plugin("stuck", STUCK)
    with folder.manager("None", grace=PATIENT) as threads:
        before = threads["stuck"].count_up()
        with pytest.raises(PluginTimeoutError):
            threads.execute("stuck", "spin", timeout=0.2)
        assert threads["stuck"].count_up() == before + 1


def test_in_this_process_a_wait_is_left_behind_and_another_thread_serves(folder, tmp_path):
    folder.plugin("stuck", STUCK)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with folder.manager("None") as threads:
        threads["stuck"].count_up()
        with pytest.raises(PluginTimeoutError, match="A thread can't be killed"):
            threads.execute("stuck", "wait_in_c", {"pipe": str(pipe)}, timeout=0.2)
        assert threads["stuck"].count_up() == 1
        os.close(os.open(pipe, os.O_RDWR))  # lets it go
