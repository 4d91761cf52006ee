"""A call that is stopped says what its plugin was at, whatever that was."""

from __future__ import annotations

import signal
import sys
import threading
import time
import traceback

import pytest

from nebula_lab.errors import CallCancelledError, LoadFailedError, PluginTimeoutError
from nebula_lab.runtime.conversation import Conversation
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.views import error_box

SLACK = 10.0  # seconds for a busy machine, above the deadline
PATIENT = 20.0  # seconds: a grace for what gives way, however busy the machine is
STUCK = """
def initialize(self, config):
    self.count = 0
@operation
def count_up(self) -> int:
    self.count += 1
    return self.count
@operation
def pid(self) -> int:
    return os.getpid()
@operation
def spin(self):
    while True: pass
@operation
def wait(self):
    threading.Event().wait()
@operation
def backtrack(self):
    return re.match(r"(x+x+)+y", "x" * 40)
@operation
def c_without_lock(self):
    ctypes.CDLL(None).usleep(30_000_000)
@operation
def swallow(self):
    while True:
        try: time.sleep(0.01)
        except KeyboardInterrupt: pass
@operation
def c_with_lock(self):
    return sum(range(10**12))
@operation
def blocked(self):
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    ctypes.CDLL(None).usleep(30_000_000)
@operation
def deaf(self):
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    time.sleep(30)
@operation
def stopped(self):
    os.kill(os.getpid(), signal.SIGSTOP)
@operation
def swallow_and_count(self, mark: str, interrupts: bool):
    signal.signal(signal.SIGRTMAX - 3, lambda *_: pathlib.Path(mark).touch())
    if not interrupts: signal.signal(signal.SIGINT, signal.SIG_IGN)
    self.swallow()
@operation
def with_threads(self, seconds: float = 30.0):
    def fetch(): threading.Event().wait(seconds)
    threading.Thread(target=fetch, daemon=True).start()
    time.sleep(seconds)
@operation
def stubborn_child(self):
    child = subprocess.Popen(["sleep", "61"])
    self.swallow()
@operation
def child(self):
    subprocess.run(["sleep", "62"])
@operation
def mark(self, path: str):
    pathlib.Path(path).touch()
    time.sleep(30)
@operation
def numbers(self, mark: str = ""):
    yield 1
    if mark: pathlib.Path(mark).touch()
    self.swallow()
"""
LINES = {
    "spin": "while True: pass",
    "wait": "threading.Event().wait()",
    "backtrack": 'return re.match(r"(x+x+)+y", "x" * 40)',
    "c_without_lock": "ctypes.CDLL(None).usleep(30_000_000)",
    "swallow": "try: time.sleep(0.01)",
    "c_with_lock": "return sum(range(10**12))",
    "blocked": "ctypes.CDLL(None).usleep(30_000_000)",
}
SEVERAL = """
@operation
def swallow(self):
    while True:
        try: time.sleep(0.01)
        except KeyboardInterrupt: pass
"""
ASYNCHRONOUS = """
@operation
async def hold(self):
    while True:
        try: await asyncio.sleep(60)
        except asyncio.CancelledError: pass
@operation
async def ready(self) -> bool:
    return True
"""
GIVES_WAY = {"spin", "wait", "backtrack", "c_without_lock"}


@pytest.fixture(scope="module")
def plugins(shared_folder):
    shared_folder.plugin("stuck", STUCK)
    with shared_folder.manager(restart={"max_restarts": 0}) as manager:
        yield manager


@pytest.fixture(scope="module")
def patient(shared_folder):
    """Ends no process, unless a call does not give way at all."""
    shared_folder.plugin("stuck", STUCK)
    with shared_folder.manager(restart={"max_restarts": 0}, grace=PATIENT) as manager:
        yield manager


@pytest.fixture(scope="module")
def parents(shared_folder):
    """A plugin that may start processes."""
    rights = {"capabilities": ["ProcessSpawn", "FileSystem", "MemoryAllocation"]}
    shared_folder.plugin("parent", STUCK, security=rights)
    with shared_folder.manager(security=rights) as manager:
        yield manager


@pytest.fixture(scope="module")
def threads(shared_folder):
    shared_folder.plugin("stuck", STUCK)
    with shared_folder.manager("None") as manager:
        yield manager


def stopped(plugins, plugin_id, operation, timeout=0.2, **params):
    plugins[plugin_id].count_up()  # it has started again
    started = time.monotonic()
    with pytest.raises(PluginTimeoutError, match=r"no answer within") as caught:
        plugins.execute(plugin_id, operation, params, timeout=timeout)
    assert time.monotonic() - started < timeout + SLACK
    return caught.value


@pytest.mark.parametrize("how", LINES)
def test_a_timeout_names_the_line_that_ran(plugins, patient, how):
    error = stopped(patient if how in GIVES_WAY else plugins, "stuck", how)
    assert error.stacks.where.startswith("stuck.py:")
    assert error.stacks.where.endswith(f", in {how}: {LINES[how]}")
    assert LINES[how] in error.remote_traceback
    assert f"in {how}: {LINES[how]}" in str(error)
    assert ("It was interrupted" in str(error)) == (how in GIVES_WAY)


@pytest.mark.parametrize("how", ["wait", "swallow"])
def test_no_frame_of_ours_or_of_the_kernels_is_shown(plugins, patient, how):
    error = stopped(patient if how in GIVES_WAY else plugins, "stuck", how)
    assert "nebula_lab" not in f"{error}{error.stacks}"
    assert "ipykernel" not in f"{error}{error.stacks}"
    assert error.stacks.folded > 1


def test_an_interrupted_wait_for_a_lock_never_costs_the_process(patient):
    before = patient["stuck"].pid()
    for _ in range(20):
        stopped(patient, "stuck", "wait", timeout=0.02)
    assert patient["stuck"].pid() == before


def test_every_thread_of_the_plugins_own_is_there(patient):
    error = stopped(patient, "stuck", "with_threads")
    main, other = error.stacks.threads
    assert main.innermost.function == "with_threads"
    assert other.innermost.function == "fetch"
    assert "in fetch" in str(error)
    assert "in fetch" in error_box(error).text
    assert "in fetch" in error_box(error).html


def test_an_operation_on_one_of_several_threads_is_named(folder):
    folder.plugin("several", SEVERAL, runtime={"concurrency": 2})
    with folder.manager() as plugins, pytest.raises(PluginTimeoutError) as caught:
        plugins.load_plugin("several")
        plugins.execute("several", "swallow", timeout=0.3)
    assert caught.value.stacks.where.endswith("in swallow: try: time.sleep(0.01)")


def test_a_task_that_waits_and_does_not_end_is_named(folder):
    folder.plugin("asynchronous", ASYNCHRONOUS)
    with folder.manager() as plugins:
        plugins["asynchronous"].ready()
        with pytest.raises(PluginTimeoutError, match="its process was replaced") as caught:
            plugins.execute("asynchronous", "hold", timeout=0.3)
        assert plugins["asynchronous"].ready()
    assert caught.value.stacks.where.endswith("in hold: try: await asyncio.sleep(60)")


def test_the_lines_are_those_that_ran_and_not_those_on_disk_by_now(folder):
    path = folder.plugin("changing", STUCK)
    with folder.manager() as plugins:
        plugins.load_plugin("changing")
        path.write_text(path.read_text().replace("10**12", "10**3").replace("\n", "\n\n"))
        error = stopped(plugins, "changing", "c_with_lock")
    assert error.stacks.where.endswith("in c_with_lock: return sum(range(10**12))")


def test_a_process_that_took_all_handlers_away_is_ended_and_says_so(plugins):
    before = plugins["stuck"].pid()
    error = stopped(plugins, "stuck", "deaf")
    assert "it wrote none when it was asked to" in error.stacks.trouble
    assert "it wrote none when it was asked to" in str(error)
    assert plugins["stuck"].pid() != before


@pytest.mark.parametrize("interrupts", [True, False])
def test_stacks_are_written_without_pythons_lock_only_if_an_interrupt_brought_none(
    parents, tmp_path, interrupts
):
    mark = tmp_path / "mark"
    stopped(parents, "parent", "swallow_and_count", mark=str(mark), interrupts=interrupts)
    assert mark.exists() is not interrupts


def test_a_stopped_process_is_ended_and_says_so(plugins):
    before = plugins["stuck"].pid()
    error = stopped(plugins, "stuck", "stopped")
    assert "it was stopped by a signal such as SIGSTOP" in error.stacks.trouble
    assert plugins["stuck"].pid() != before


def test_what_a_child_does_is_in_the_error(parents):
    error = stopped(parents, "parent", "child")
    (child,) = error.stacks.children
    assert (child.command, child.state) == ("sleep 62", "sleeping")
    assert "sleep 62 (pid" in str(error)


def test_a_child_of_a_process_that_does_not_stop_is_ended_with_it(parents, wait_until):
    import psutil

    error = stopped(parents, "parent", "stubborn_child")
    (child,) = error.stacks.children
    assert (child.command, error.stacks.threads[0].innermost.function) == ("sleep 61", "swallow")
    wait_until(lambda: not psutil.pid_exists(child.pid), "the child is gone")


def test_an_initialize_that_is_stuck_in_c_is_named_with_its_line(folder):
    folder.plugin("slow", "def initialize(self, config):\n    sum(range(10**12))")
    with folder.manager(timeout=0.5) as plugins, pytest.raises(LoadFailedError) as caught:
        plugins.load_plugin("slow")
    assert "sum(range(10**12))" in caught.value.remote_traceback


def test_a_stream_that_is_stuck_says_where(plugins):
    before = plugins["stuck"].pid()
    with plugins.execute("stuck", "numbers", timeout=0.3) as stream:
        assert next(stream) == 1
        with pytest.raises(PluginTimeoutError) as caught:
            next(stream)
    assert caught.value.stacks.threads[0].innermost.function == "swallow"
    assert plugins["stuck"].pid() != before


def test_closing_a_stream_that_is_stuck_ends_its_process(plugins, tmp_path, wait_until):
    before, mark = plugins["stuck"].pid(), tmp_path / "stuck"
    stream = plugins.execute("stuck", "numbers", {"mark": str(mark)}, timeout=20)
    assert next(stream) == 1
    wait_until(mark.exists, "it is stuck")
    started = time.monotonic()
    stream.close()
    assert time.monotonic() - started < plugins.config.grace + SLACK
    assert plugins["stuck"].pid() != before


def _is_at(thread, function):
    frames = traceback.walk_stack(sys._current_frames()[thread])
    return any(frame.f_code is function.__code__ for frame, _ in frames)


def test_an_interrupt_of_the_caller_notes_where_the_plugin_was(plugins, tmp_path, wait_until):
    plugins["stuck"].count_up()
    mark, main = tmp_path / "begun", threading.main_thread().ident

    def interrupt():
        wait_until(mark.exists, "the call began")
        # While the call is sent, an interrupt leaves half a message, and nobody to be asked.
        wait_until(lambda: _is_at(main, Conversation.next_answer), "its caller waits")
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt) as caught:
        plugins.execute("stuck", "mark", {"path": str(mark)}, timeout=25)
    thread.join()
    (note,) = caught.value.__notes__
    assert note.startswith("stuck.mark was at stuck.py:")


def test_an_interrupt_that_comes_before_the_caller_waits_notes_it_too(
    plugins, tmp_path, wait_until
):
    plugins["stuck"].count_up()
    mark = tmp_path / "begun"

    def once_sent(frame, event, argument):
        if frame.f_code is Invocation.stop_by.__code__:
            sys.settrace(tracing)
            wait_until(mark.exists, "the call began")
            signal.raise_signal(signal.SIGINT)

    tracing = sys.gettrace()
    sys.settrace(once_sent)
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            plugins.execute("stuck", "mark", {"path": str(mark)}, timeout=25)
    finally:
        sys.settrace(tracing)
    (note,) = caught.value.__notes__
    assert note.startswith("stuck.mark was at stuck.py:")


def test_a_cancelled_call_says_where_it_was(plugins, callers, tmp_path, wait_until):
    plugins["stuck"].count_up()
    mark = tmp_path / "begun"
    invocation = plugins.begin("stuck", "mark", 25)
    callers.start(plugins.execute_invocation, invocation, {"path": str(mark)})
    wait_until(mark.exists, "the call began")
    invocation.cancel()
    (error,) = callers.join()
    assert isinstance(error, CallCancelledError)
    assert error.stacks.threads[0].innermost.function == "mark"
    assert "in mark" in str(error)


def test_a_call_that_waits_is_withdrawn_and_nothing_is_interrupted(
    plugins, callers, tmp_path, wait_until
):
    plugins["stuck"].count_up()
    mark = tmp_path / "begun"
    running = plugins.begin("stuck", "mark", 25)
    callers.start(plugins.execute_invocation, running, {"path": str(mark)})
    wait_until(mark.exists, "the call began")
    with pytest.raises(PluginTimeoutError, match="was withdrawn") as caught:
        plugins.execute("stuck", "count_up", timeout=0.1)
    assert caught.value.stacks is None
    assert not callers.results
    running.cancel()


def test_in_this_process_a_timeout_names_the_line_too(threads):
    assert stopped(threads, "stuck", "spin").stacks.where.endswith("in spin: while True: pass")


def test_in_this_process_no_thread_but_the_plugins_own_is_there(threads):
    error = stopped(threads, "stuck", "with_threads", seconds=1.5)
    functions = [thread.innermost.function for thread in error.stacks.threads]
    assert functions == ["with_threads", "fetch"]
    assert "nebula_lab" not in str(error.stacks)
    assert "A thread can't be killed" in str(error)
