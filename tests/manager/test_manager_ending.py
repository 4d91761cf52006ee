"""However a manager ends, nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import warnings
from pathlib import Path

import psutil
import pytest

from nebula_lab.errors import ManagerClosedError, PluginCrashedError, PluginError

PLUGIN = """
def initialize(self, config):
    self.child = None
@operation
def ping(self) -> int:
    return os.getpid()
@operation
def hang(self, mark: str):
    pathlib.Path(mark).touch()
    time.sleep(30)
@operation
def hang_in_c(self, mark: str):
    pathlib.Path(mark).touch()
    return sum(range(10**12))
@operation
def numbers(self):
    for number in range(1000):
        yield number
@operation
def spawn(self) -> int:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    self.child = subprocess.Popen(command, start_new_session=True)
    return self.child.pid
"""


@pytest.fixture
def plugins(folder):
    folder.plugin("one", PLUGIN)
    with folder.manager() as manager:
        yield manager


def test_two_managers_in_one_process_do_not_meet(folder):
    folder.plugin("one", PLUGIN)
    for sandbox in ("None", "Process"):
        with folder.manager(sandbox) as first:
            first.load_plugin("one")
            with folder.manager(sandbox) as second:
                second.load_plugin("one")
            assert first["one"].ping()


def test_a_module_of_one_manager_outlives_the_other(folder):
    folder.plugin("one", "@operation\ndef there(self): return type(self).__module__ in sys.modules")
    with folder.manager("None") as first:
        assert first["one"].there()
        with folder.manager("None") as second:
            assert second["one"].there()
            second.unload_plugin("one")
        assert first["one"].there()


def test_close_can_be_called_again(plugins):
    plugins.load_plugin("one")
    plugins.close()
    plugins.close()
    assert plugins.closed


@pytest.mark.parametrize("step", ["load_plugin", "reload_plugin", "unload_plugin", "ping"])
def test_a_closed_manager_refuses_everything(plugins, step):
    plugins.close()
    with pytest.raises(ManagerClosedError):
        plugins.execute("one", "ping") if step == "ping" else getattr(plugins, step)("one")


def test_closing_ends_the_call_that_runs_and_those_that_wait(
    plugins, callers, tmp_path, wait_until
):
    mark = tmp_path / "begun"
    callers.start(plugins.execute, "one", "hang", {"mark": str(mark)})
    wait_until(mark.exists, "the call began")
    callers.start(plugins.execute, "one", "ping")
    slots = plugins._engine.catalogue.record("one").slots
    wait_until(lambda: slots.queue_length == 1, "a call waits")
    plugins.close()
    running, waiting = callers.join()
    assert isinstance(running, PluginCrashedError | ManagerClosedError)
    assert isinstance(waiting, ManagerClosedError)


def test_closing_while_plugins_load_leaves_nothing(folder, callers, tmp_path, wait_until):
    mark = tmp_path / "begun"
    folder.plugin(
        "slow",
        "def initialize(self, config):\n"
        f"    pathlib.Path({str(mark)!r}).touch()\n"
        "    time.sleep(30)",
    )
    folder.plugin("one", PLUGIN)
    with folder.manager() as plugins:
        callers.start(plugins.load_plugin, "slow")
        wait_until(mark.exists, "the plugin loads")
        callers.start(plugins.load_plugin, "one")
        plugins.close()
        errors = callers.join()
        assert isinstance(errors[0], PluginError)
        assert errors[1] is None or isinstance(errors[1], PluginError)


# Forks


def in_fork(work) -> int:
    """Run `work` in a fork of this process; what it returns, a small number."""
    with warnings.catch_warnings():
        # Forking with threads is what this is about; later versions of Python warn of it.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if not pid:
        code = 99
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_fork_of_the_process_can_not_call_and_does_not_close(plugins):
    pid = plugins["one"].ping()

    def child() -> int:
        try:
            plugins.execute("one", "ping")
        except ManagerClosedError:
            plugins.close()
            return 7
        return 8

    assert in_fork(child) == 7
    assert plugins["one"].ping() == pid


def test_a_fork_that_drops_a_stream_does_not_end_it(plugins):
    held = [plugins["one"].numbers()]
    assert next(held[0]) == 0

    def child() -> int:
        held[0].close()
        held.clear()
        return 7

    assert in_fork(child) == 7
    assert list(held[0]) == list(range(1, 1000))


# Ends of the process

SCRIPT = """
import os, psutil, signal, sys, threading, time, warnings
warnings.simplefilter("ignore")
from nebula_lab import PluginManager
security = {{"capabilities": ["FileSystem", "ProcessSpawn"]}}
plugins = PluginManager({{"plugin_dir": sys.argv[1], "security": security}})
pid = plugins["one"].ping()
{more}
print(plugins._engine._run_dir, pid, *more, flush=True)
{end}
"""
EXITS = {
    "by itself": "",
    "by an exception": "raise LookupError('oops')",
    "with a call in flight": "threading.Thread(target=in_flight, daemon=True).start()",
}
IN_FLIGHT = """
more = []
def in_flight():
    plugins.execute("one", "hang", {"mark": sys.argv[1] + "/mark"})
"""


def run_owner(folder, more: str, end: str):
    rights = ["FileSystem", "ProcessSpawn"] if more == SPAWNED else ["FileSystem"]
    folder.plugin("one", PLUGIN, security={"capabilities": rights})
    source = textwrap.dedent(SCRIPT).format(more=more, end=end)
    return subprocess.Popen(
        [sys.executable, "-c", source, str(folder.path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def traces(run_dir: str, pids: list[int]) -> list[str]:
    """What there still is of a manager in another process."""
    left = [f"process {pid}" for pid in pids if psutil.pid_exists(pid) and not is_zombie(pid)]
    if Path(run_dir).exists():
        left.append(run_dir)
    if left:
        return left  # to look at all processes takes long
    for process in psutil.process_iter(["cmdline"]):
        command = " ".join(process.info["cmdline"] or ())
        if run_dir in command and not is_zombie(process.pid):
            left.append(f"process {process.pid}: {command[:200]}")
    return left


def is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("how", EXITS)
def test_an_exit_without_close_leaves_nothing(folder, wait_until, how):
    with run_owner(folder, IN_FLIGHT, EXITS[how]) as owner:
        run_dir, *pids = owner.stdout.readline().split()
        assert owner.wait(60) in (0, 1)
    wait_until(lambda: not traces(run_dir, [int(pid) for pid in pids]), "everything is gone")


# By the names that we know them by: a plugin that may start processes has others.
SPAWNED = """
plugins["one"].spawn()
family = [one.as_dict(["pid", "cmdline"]) for one in psutil.Process().children(recursive=True)]
more = [one["pid"] for one in family]
assert any("time.sleep(60)" in " ".join(one["cmdline"] or ()) for one in family)
"""
KILLED = {
    "idle": "more = []",
    "stuck in C": (
        'threading.Thread(target=plugins.execute, args=("one", "hang_in_c", '
        '{"mark": sys.argv[1] + "/mark"}), daemon=True).start()\n'
        'while not os.path.exists(sys.argv[1] + "/mark"): time.sleep(0.01)\n'
        "more = []"
    ),
    "with a child in a session of its own": SPAWNED,
}


@pytest.mark.parametrize("how", KILLED)
def test_an_owner_killed_by_sigkill_leaves_nothing(folder, wait_until, how):
    with run_owner(folder, KILLED[how], "signal.pause()") as owner:
        run_dir, *pids = owner.stdout.readline().split()
        owner.kill()
        assert owner.wait(60) == -signal.SIGKILL
    if how == "with a child in a session of its own":
        pids = pids[1:]  # the first is what the plugin takes for its own
    wait_until(lambda: not traces(run_dir, [int(pid) for pid in pids]), "everything is gone")


def test_hosts_live_on_when_the_thread_that_started_them_ends(plugins):
    thread = threading.Thread(target=plugins.load_plugin, args=("one",))
    thread.start()
    thread.join()
    pid = plugins["one"].ping()
    assert plugins["one"].ping() == pid
    assert plugins.list_plugins()[0].restarts == 0


def test_run_folders_are_the_users_alone(plugins):
    plugins.load_plugin("one")
    file = plugins.connection_file("one")
    assert file is not None
    modes = [oct(path.stat().st_mode & 0o777) for path in (file, file.parent, file.parents[1])]
    assert modes == ["0o600", "0o700", "0o700"]
