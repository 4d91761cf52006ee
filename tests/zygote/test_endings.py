"""How zygotes and their hosts end, each by itself and with their owner."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future

import psutil
import pytest
from forked_lab import probe

from nebula_lab.agent.zygote_messages import Forked
from nebula_lab.errors import PluginCrashedError
from nebula_lab.sandbox.surroundings import Surroundings
from nebula_lab.sandbox.zygote_socket import ZygoteError


def is_alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def lab(open_lab):
    """One whose zygote imports nothing that a load would not wait for on a busy machine."""
    return open_lab(preload=[])


def test_hosts_live_on_when_their_zygote_is_killed_and_the_next_load_has_a_new_one(lab, wait_until):
    host, zygote = lab.pid("one"), lab.zygote_pid
    os.kill(zygote, signal.SIGKILL)
    wait_until(lambda: lab.zygote_pid != zygote, "the end of the zygote")
    assert lab.pid("one") == host
    assert lab.is_forked("two")
    assert lab.zygote_pid not in (None, zygote)


@pytest.mark.parametrize(
    ("end", "told"),
    [("os._exit(7)", "exited with code 7"), ("os.kill(os.getpid(), 11)", "SIGSEGV")],
)
def test_the_end_of_a_host_that_outlived_its_zygote_is_told(lab, wait_until, end, told):
    lab.pid("one")
    zygote = lab.zygote_pid
    os.kill(zygote, signal.SIGKILL)
    wait_until(lambda: lab.zygote_pid != zygote, "the end of the zygote")
    with pytest.raises(PluginCrashedError, match=told):
        lab.ask("one", end)
    assert lab.is_forked("one")


def test_a_zygote_that_hangs_is_replaced_and_the_load_works_all_the_same(lab, patience, wait_until):
    host, zygote = lab.pid("one"), lab.zygote_pid
    wait_until(lab.has_settled, "the end of preloading")
    os.kill(zygote, signal.SIGSTOP)
    patience(1.0)
    assert not lab.is_forked("two")
    patience(30.0)
    wait_until(lambda: not is_alive(zygote), "the end of the one that hung")
    assert lab.pid("one") == host
    assert lab.is_forked("three")


def test_a_kernel_whose_launch_was_interrupted_is_ended_and_the_zygote_goes_on(lab, wait_until):
    lab.pid("one")
    zygote = lab.launcher._zygotes[-1]
    wait_until(lab.has_settled, "the end of preloading")
    os.kill(zygote.pid, signal.SIGSTOP)
    surroundings = Surroundings.now()
    with pytest.raises(KeyboardInterrupt), interrupted_once(lambda: zygote._forking):
        lab.sandbox._start_spare(surroundings, lab.sandbox._usual_profile(surroundings))
    assert len(zygote._forking) == 1
    os.kill(zygote.pid, signal.SIGCONT)
    wait_until(lambda: not zygote._forking, "the answer that nobody waits for")
    wait_until(lambda: len(zygote._alive) == 1, "the end of the kernel")
    wait_until(lambda: len(psutil.Process(zygote.pid).children()) == 1, "its being reaped")
    assert lab.is_forked("two")
    assert lab.zygote_pid == zygote.pid


@contextlib.contextmanager
def interrupted_once(condition):
    """Interrupt the body, which waits, when a condition has come true."""

    def interrupt():
        while not is_over.wait(0.005):
            if condition():
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
                return

    is_over = threading.Event()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        signal.signal(signal.SIGINT, before)


def test_a_host_ends_with_the_manager_although_its_zygote_hangs(lab, wait_until):
    host, zygote = lab.pid("one"), lab.zygote_pid
    os.kill(zygote, signal.SIGSTOP)
    lab.plugins.close()
    assert not is_alive(host)
    assert not is_alive(zygote)


def test_a_replaced_zygote_ends_with_its_last_host(lab, monkeypatch, wait_until):
    lab.pid("one")
    first = lab.zygote_pid
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    lab.pid("two")
    assert is_alive(first)
    lab.plugins.unload_plugin("one")
    wait_until(lambda: not is_alive(first), "the end of the first zygote")
    assert lab.pid("two")


def test_closing_ends_the_zygote(lab):
    lab.pid("one")
    zygote = lab.zygote_pid
    lab.plugins.close()
    assert not is_alive(zygote)


OWNER = """
import os, sys, threading, time, warnings
warnings.simplefilter("ignore")
from nebula_lab import PluginManager
plugins = PluginManager({"plugin_dir": sys.argv[1], "zygote": {"spares": 1, "preload": []}})
plugins.load_plugin("one")
sandbox = plugins._engine.sandboxes.usual
deadline = time.monotonic() + 30
while not len(sandbox.spares) and time.monotonic() < deadline:
    time.sleep(0.01)
print(sandbox.launcher.zygote_pid, len(sandbox.spares), flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("is_stopped", [False, True], ids=["runs", "hangs"])
def test_zygote_spare_and_hosts_end_with_an_owner_that_was_killed(tmp_path, wait_until, is_stopped):
    (tmp_path / "one.py").write_text(probe("one"))
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with owner:
        zygote, spares = map(int, owner.stdout.readline().split())
        assert spares == 1
        family = {child.pid for child in psutil.Process(owner.pid).children(recursive=True)}
        assert len(psutil.Process(zygote).children()) == 2
        if is_stopped:
            os.kill(zygote, signal.SIGSTOP)
        owner.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, family)), "the end of all that it started")


def test_a_fork_of_the_owner_leaves_the_zygote_alone(lab, wait_until):
    lab.pid("one")
    wait_until(lab.has_settled, "the end of preloading")
    zygote = lab.zygote_pid
    child = os.fork()
    if child == 0:
        lab.plugins.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert lab.is_forked("two")
    assert lab.zygote_pid == zygote


def test_a_fork_of_the_owner_keeps_no_descriptor_of_the_zygote(lab):
    lab.pid("one")
    control = lab.launcher._zygotes[-1]._socket.fileno()
    child = os.fork()
    if child == 0:
        try:
            os.fstat(control)
        except OSError:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_host_that_comes_as_its_zygote_is_given_up_leaves_no_descriptor(lab):
    pid = lab.pid("one")
    zygote, number = lab.launcher._zygotes[-1], 2**31
    nobody_waits = Future()
    nobody_waits.set_exception(ZygoteError("it has been ended"))
    zygote._forking[number] = nobody_waits
    pidfd = os.pidfd_open(pid)
    zygote._take(Forked(number), [pidfd])
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(pidfd)
