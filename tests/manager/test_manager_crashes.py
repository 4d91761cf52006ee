"""A plugin's process that ends, in whatever way."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest

from nebula_lab import PluginState
from nebula_lab.errors import ExecutionFailedError, PluginCrashedError, PluginError
from nebula_lab.model.events import PluginCrashed

CRASHER = """
def initialize(self, config):
    self.count = 0
@operation
def pid(self) -> int:
    return os.getpid()
@operation
def up(self) -> int:
    self.count += 1
    return self.count
@operation
def wait(self, mark: str):
    pathlib.Path(mark).touch()
    time.sleep(30)
@operation
def segfault(self):
    ctypes.string_at(0)
@operation
def exit_hard(self, code: int):
    os._exit(code)
@operation
def exit_softly(self):
    sys.exit(3)
@operation
def last_words(self):
    os.write(2, b"so long\\nand thanks\\n")
    os.kill(os.getpid(), signal.SIGKILL)
@operation
def misuse_channel(self, how: str):
    channel = next(
        found for found in gc.get_objects() if type(found).__module__ == "nebula_lab.link.channel"
    )
    descriptor = channel.fileno()
    if how == "garbage":
        os.write(descriptor, b"\\xff" * 4096)
    elif how == "huge":
        os.write(descriptor, b"\\x7f\\xff\\xff\\xff")
    elif how == "no message":
        os.write(descriptor, b"\\x00\\x00\\x00\\x01\\x00")
    elif how == "close":
        socket.socket(fileno=descriptor).shutdown(socket.SHUT_RDWR)
    time.sleep(30)
"""


@pytest.fixture(scope="module")
def plugins(shared_folder):
    shared_folder.plugin("crasher", CRASHER)
    shared_folder.plugin("bystander", CRASHER)
    with shared_folder.manager(restart={"max_restarts": 1000, "backoff": 0}) as manager:
        yield manager


def pid_of(plugins):
    return {info.id: info for info in plugins.list_plugins()}["crasher"].pid


def test_a_process_killed_while_idle_is_started_again(plugins, wait_until):
    pid = plugins["crasher"].pid()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: pid_of(plugins) not in (None, pid), "another process is there")
    assert plugins["crasher"].pid() != pid


def test_a_process_killed_while_running_fails_its_call_and_is_started_again(
    plugins, callers, tmp_path, wait_until
):
    pid = plugins["crasher"].pid()
    mark = tmp_path / "begun"
    callers.start(plugins.execute, "crasher", "wait", {"mark": str(mark)})
    wait_until(mark.exists, "the call began")
    os.kill(pid, signal.SIGKILL)
    error = callers.join()[0]
    assert isinstance(error, PluginCrashedError)
    assert error.report.signal_name == "SIGKILL"
    assert plugins["crasher"].up() == 1


def test_calls_that_wait_survive_the_crash_of_the_one_that_runs(
    plugins, callers, tmp_path, wait_until
):
    pid = plugins["crasher"].pid()
    mark = tmp_path / "begun"
    callers.start(plugins.execute, "crasher", "wait", {"mark": str(mark)})
    wait_until(mark.exists, "the call began")
    for _ in range(3):
        callers.start(plugins.execute, "crasher", "up")
    slots = plugins._engine.catalogue.record("crasher").slots
    wait_until(lambda: slots.queue_length == 3, "three calls wait")
    os.kill(pid, signal.SIGKILL)
    crashed, *counts = callers.join()
    assert (type(crashed), sorted(counts)) == (PluginCrashedError, [1, 2, 3])


def test_a_segmentation_fault_comes_with_the_native_traceback(plugins):
    with pytest.raises(PluginCrashedError, match="SIGSEGV") as caught:
        plugins["crasher"].segfault()
    assert caught.value.report.signal_name == "SIGSEGV"
    assert "in segfault" in caught.value.report.native_traceback
    assert "crasher.segfault" in str(caught.value)


def test_what_the_fault_handler_wrote_is_told_once(plugins, capsys):
    with pytest.raises(PluginCrashedError):
        plugins["crasher"].segfault()
    assert capsys.readouterr().err == ""


def test_a_hard_exit_comes_with_the_exit_code(plugins):
    with pytest.raises(PluginCrashedError, match="exited with code 3") as caught:
        plugins["crasher"].exit_hard(code=3)
    assert caught.value.report.exit_code == 3


def test_sys_exit_in_an_operation_is_just_an_error(plugins):
    pid = plugins["crasher"].pid()
    with pytest.raises(ExecutionFailedError, match="SystemExit"):
        plugins["crasher"].exit_softly()
    assert plugins["crasher"].pid() == pid


def test_last_words_on_stderr_are_in_the_error(plugins):
    with pytest.raises(PluginCrashedError) as caught:
        plugins["crasher"].last_words()
    assert caught.value.report.stderr_tail[-2:] == ("so long", "and thanks")
    assert "and thanks" in str(caught.value)


MISUSES = {
    "garbage": "makes no sense",
    "huge": "makes no sense",
    "no message": "makes no sense",
    "close": "closed its channel",
}


@pytest.mark.parametrize("how", MISUSES)
def test_misuse_of_the_channel_fails_that_call_and_nothing_else(plugins, how):
    bystander = plugins["bystander"].pid()
    plugins["crasher"].up()
    started = time.monotonic()
    with pytest.raises(PluginCrashedError, match=MISUSES[how]):
        plugins.execute("crasher", "misuse_channel", {"how": how}, timeout=20)
    assert time.monotonic() - started < 10
    assert plugins["crasher"].up() == 1
    assert plugins["bystander"].pid() == bystander


def test_a_crash_is_an_event_with_its_report(plugins, wait_until):
    crashes = []
    end = plugins.subscribe(lambda e: crashes.append(e) if isinstance(e, PluginCrashed) else None)
    with pytest.raises(PluginCrashedError):
        plugins["crasher"].exit_hard(code=9)
    wait_until(lambda: crashes, "the event")
    end()
    assert (crashes[0].plugin_id, crashes[0].report.exit_code) == ("crasher", 9)
    assert crashes[0].restarting


def test_restarts_are_counted(plugins):
    with pytest.raises(PluginCrashedError):
        plugins["crasher"].exit_hard(code=1)
    plugins["crasher"].up()
    restarts = plugins.metrics().plugins["crasher"].restarts
    assert restarts == {info.id: info.restarts for info in plugins.list_plugins()}["crasher"]
    assert restarts >= 1


@pytest.fixture(params=["load_plugin", "reload_plugin"])
def mend(request):
    return request.param


def test_after_too_many_crashes_it_is_failed_until_a_person_mends_it(
    shared_folder, wait_until, mend
):
    with shared_folder.manager(restart={"max_restarts": 1}) as plugins:
        for _ in range(2):
            with pytest.raises(PluginCrashedError):
                plugins["crasher"].exit_hard(code=1)
        state = plugins._engine.catalogue.record("crasher")
        wait_until(lambda: state.state is PluginState.FAILED, "it is given up")
        with pytest.raises(PluginError, match="crashed more than 1 times"):
            plugins["crasher"].up()
        getattr(plugins, mend)("crasher")
        assert plugins["crasher"].up() == 1


def test_replicas_that_crash_together_are_all_started_again(shared_folder, wait_until):
    shared_folder.plugin("twins", CRASHER, runtime={"replicas": 2})
    with shared_folder.manager() as plugins:
        plugins.load_plugin("twins")
        slots = plugins._engine.catalogue.record("twins").slots
        before = {host.pid for host in slots.hosts}
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: len(slots.hosts) == 2 and not before & {host.pid for host in slots.hosts},
            "both are there again",
        )


def test_a_process_that_a_plugin_left_behind_dies_with_its_host(shared_folder, wait_until):
    shared_folder.plugin(
        "parent",
        """
@operation
def start(self):
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    subprocess.Popen(command, start_new_session=True)
""",
        security={"capabilities": ["ProcessSpawn"]},
    )
    with shared_folder.manager(security={"capabilities": ["ProcessSpawn"]}) as plugins:
        plugins["parent"].start()
        (host,) = plugins._engine.catalogue.record("parent").slots.hosts
        family = psutil.Process(host.pid).children(recursive=True)
        assert any("time.sleep(60)" in " ".join(process.cmdline()) for process in family)
        plugins.unload_plugin("parent")
        wait_until(lambda: all(map(has_ended, family)), "all of them are gone")


def has_ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
