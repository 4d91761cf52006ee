"""What an adversarial review of starting, closing and being flooded found."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import warnings
from datetime import date
from pathlib import Path

import psutil
import pytest

from nebula_lab import PluginManager
from nebula_lab.errors import LoadFailedError, ManagerClosedError, PluginCrashedError
from nebula_lab.model.events import OutputWritten
from nebula_lab.runtime.log_ring import KEPT_LENGTH
from nebula_lab.runtime.unclaimed import MOST_AT_ONCE
from nebula_lab.sandbox.leftovers import MARK

PING = """
@operation
def ping(self) -> int:
    return os.getpid()
"""
HANG = """
@operation
def hang(self, mark: str):
    pathlib.Path(mark).touch()
    time.sleep(30)
"""
SLOW_TO_CLEAN_UP = PING + "def cleanup(self):\n    time.sleep(30)"


def hosts() -> list[int]:
    """Pids of the kernels that this process has."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if process.environ().get(MARK, "").endswith("."):
                found.append(process.pid)
    return found


@contextlib.contextmanager
def interrupted_once(condition, wait_until):
    """Raise KeyboardInterrupt on this, the main, thread as soon as the condition holds."""

    def interrupt() -> None:
        wait_until(condition, "the moment to interrupt")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        yield
    finally:
        thread.join()


# Interrupts


def test_a_kernel_whose_start_is_interrupted_is_ended(folder, wait_until):
    folder.plugin("one", PING + "def initialize(self, config):\n    time.sleep(60)")
    with folder.manager() as plugins:
        with pytest.raises(KeyboardInterrupt), interrupted_once(hosts, wait_until):
            plugins.load_plugin("one")
        wait_until(lambda: not hosts(), "the kernel's end")


def test_an_interrupted_close_ends_everything_all_the_same(folder, wait_until):
    folder.plugin("one", SLOW_TO_CLEAN_UP)
    folder.plugin("two", SLOW_TO_CLEAN_UP)
    with folder.manager(grace=20.0) as plugins:
        plugins["one"].ping()
        plugins["two"].ping()
        slots = plugins._engine.catalogue.record("two").slots
        interrupted = interrupted_once(lambda: not slots.hosts, wait_until)
        with pytest.raises(KeyboardInterrupt), interrupted:
            plugins.close()
        assert not hosts()
        assert not plugins._engine._run_dir.exists()


def test_a_second_close_takes_the_steps_that_the_first_could_not(folder):
    folder.plugin("one", PING)
    with folder.manager() as plugins:
        plugins["one"].ping()
        remove = plugins._engine._run_folder.remove

        def interrupted() -> None:
            plugins._engine._run_folder.remove = remove
            raise KeyboardInterrupt

        plugins._engine._run_folder.remove = interrupted
        with pytest.raises(KeyboardInterrupt):
            plugins.close()
        assert plugins._engine._run_dir.exists()
        plugins.close()
        assert not plugins._engine._run_dir.exists()


# The owner's end

OWNER = """
import os, signal, sys, warnings
warnings.simplefilter("ignore")
from nebula_lab import PluginManager
plugins = PluginManager({"plugin_dir": sys.argv[1], "security": {"sandbox": sys.argv[2]}})
if sys.argv[3]:
    plugins["one"].ping()
print(plugins._engine._run_dir, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


# One that has used hosts is in test_manager_ending.py.
@pytest.mark.parametrize(("sandbox", "ran"), [("Process", ""), ("None", ""), ("None", "ran")])
def test_an_owner_killed_by_sigkill_leaves_no_folder(folder, wait_until, sandbox, ran):
    folder.plugin("one", PING)
    command = [sys.executable, "-c", OWNER, str(folder.path), sandbox, ran]
    owner = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    run_dir = Path(owner.stdout.strip())
    assert run_dir.name.startswith("nebula-")
    wait_until(lambda: not run_dir.exists(), "the end of the run folder")


def test_a_manager_that_runs_nothing_makes_no_folder(folder):
    folder.plugin("one", PING)
    with folder.manager() as plugins:
        assert not plugins._engine._run_dir.exists()


# Configuration


def test_a_value_that_can_not_be_given_to_a_plugin_is_named(folder):
    folder.plugin("one", PING)
    config = {"one": {"range": {"since": date(2024, 1, 1)}}}
    named = pytest.raises(LoadFailedError, match=r"global_config\.one\.range\.since is a .*date")
    with folder.manager("None", global_config=config) as plugins, named:
        plugins.load_plugin("one")


def test_one_bad_section_does_not_keep_the_others_from_loading(folder):
    folder.plugin("one", PING)
    folder.plugin("two", PING)
    config = {"one": {"since": date(2024, 1, 1)}}
    with folder.manager("None", global_config=config, loading="Eager") as plugins:
        states = {info.id: info.state.name for info in plugins.list_plugins()}
    assert states["one"] == "FAILED"
    assert states["two"] == "LOADED"


def test_a_section_that_is_null_is_an_empty_one(folder):
    folder.plugin(
        "one",
        "def initialize(self, config):\n    self.config = config\n"
        "@operation\ndef given(self) -> dict:\n    return self.config",
    )
    with folder.manager("None", global_config={"one": None}) as plugins:
        assert plugins["one"].given() == {}


# Forks


def test_a_fork_that_reads_an_inherited_stream_harms_nobody(folder):
    folder.plugin(
        "one", "@operation\ndef numbers(self):\n    for n in range(1000):\n        yield n"
    )
    with folder.manager() as plugins:
        stream = plugins["one"].numbers()
        next(stream)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if not child:
            with contextlib.suppress(BaseException):
                list(stream)
            os._exit(0)
        os.waitpid(child, 0)
        assert list(stream) == list(range(1, 1000))


# What is said of an end


def test_a_host_that_exits_by_itself_is_not_said_to_be_killed(folder, wait_until):
    folder.plugin(
        "one",
        """
@operation
def numbers(self):
    for number in range(1000):
        if number == 15:
            threading.Timer(0.05, lambda: os._exit(3)).start()
        yield number
""",
    )
    with folder.manager() as plugins:
        plugins.load_plugin("one")
        pid = plugins.list_plugins()[0].pid
        stream = plugins["one"].numbers()
        next(stream)
        wait_until(lambda: pid not in hosts(), "the host's end")
        with pytest.raises(PluginCrashedError, match="exited with code 3"):
            list(stream)


def test_a_call_that_runs_when_the_manager_closes_is_told_so(folder, callers, tmp_path, wait_until):
    folder.plugin("one", HANG)
    mark = tmp_path / "begun"
    with folder.manager() as plugins:
        callers.start(plugins.execute, "one", "hang", {"mark": str(mark)})
        wait_until(mark.exists, "the call began")
        plugins.close()
    assert isinstance(callers.join()[0], ManagerClosedError)


def test_a_load_that_runs_when_the_manager_closes_is_told_so(folder, callers, tmp_path, wait_until):
    mark = tmp_path / "begun"
    folder.plugin(
        "one",
        "def initialize(self, config):\n"
        f"    pathlib.Path({str(mark)!r}).touch()\n"
        "    time.sleep(30)",
    )
    with folder.manager() as plugins:
        callers.start(plugins.load_plugin, "one")
        wait_until(mark.exists, "the plugin loads")
        plugins.close()
    assert isinstance(callers.join()[0], ManagerClosedError)


# Floods

FLOOD = """
@operation
def flood(self, count: int, mark: str):
    from nebula_lab.wire.messages import Request
    from nebula_lab.wire.values import encode_value
    params = encode_value({"mark": mark})
    for number in range(count):
        self.context._server.send(Request(10_000 + number, 0, "two", "hang", params, None))
@operation
def ping(self) -> int:
    return 1
"""


def test_a_host_takes_only_so_many_threads_for_its_requests(folder, tmp_path):
    folder.plugin("one", FLOOD, dependencies=["two"])
    folder.plugin("two", HANG)
    with folder.manager() as plugins:
        plugins.load_plugin("one")
        before = threading.active_count()
        plugins["one"].flood(count=300, mark=str(tmp_path / "mark"))
        assert plugins["one"].ping() == 1
        # One more refuses the others.
        assert threading.active_count() - before <= MOST_AT_ONCE + 1


def test_of_a_very_long_line_only_the_start_is_kept(folder):
    folder.plugin("one", "@operation\ndef shout(self):\n    print('x' * 1_000_000)")
    with folder.manager() as plugins:
        plugins["one"].shout()
        assert max(len(line.text) for line in plugins.logs("one")) == KEPT_LENGTH


def test_an_event_holds_no_more_than_64_kib_of_text(folder, wait_until):
    folder.plugin("one", "@operation\ndef shout(self):\n    print('x' * 1_000_000)")
    seen = []
    with folder.manager() as plugins:
        plugins.subscribe(seen.append)
        plugins["one"].shout()
        shown = wait_until(
            lambda: [event for event in seen if isinstance(event, OutputWritten)], "the output"
        )
        assert max(len(event.text) for event in shown) <= 64 * 1024


# Time-outs

UNFIT = [0, -1, float("nan"), float("inf"), 1e7, 1e10, 1e300, 10**400, True, "5"]


@pytest.fixture(scope="module")
def used(shared_folder):
    shared_folder.plugin("one", PING)
    with shared_folder.manager("None") as plugins:
        yield plugins


@pytest.mark.parametrize("timeout", UNFIT, ids=lambda value: repr(value)[:12])
def test_a_time_out_that_no_wait_can_have_is_refused(used: PluginManager, timeout):
    with pytest.raises(ValueError, match="timeout must be a number of seconds above 0"):
        used.execute("one", "ping", timeout=timeout)


@pytest.mark.parametrize("timeout", UNFIT, ids=lambda value: repr(value)[:12])
def test_a_time_out_of_a_health_check_is_checked_too(used: PluginManager, timeout):
    with pytest.raises(ValueError, match="timeout must be a number of seconds above 0"):
        used.plugin_health("one", timeout=timeout)


def test_the_longest_time_out_is_accepted(used: PluginManager):
    assert used.execute("one", "ping", timeout=2_147_483)


def test_a_plugins_own_thread_may_wait_as_long_as_it_likes(folder):
    folder.plugin(
        "one",
        """
@operation
def ask(self) -> int:
    answers = []
    context = self.context
    asks = lambda: answers.append(context.call("two", "ping", {}, timeout=1e10))
    thread = threading.Thread(target=asks)
    thread.start()
    thread.join()
    return answers[0]
""",
        dependencies=["two"],
    )
    folder.plugin("two", PING)
    with folder.manager() as plugins:
        assert plugins["one"].ask()
