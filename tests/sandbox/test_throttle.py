"""A host has its share of the processor, and can be interrupted and ended while it is stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from nebula_lab.errors import PluginTimeoutError
from nebula_lab.sandbox.throttle import _SAVED, Throttle

SECONDS = 2  # for which it computes
# The share of one processor that all of it had, its children and theirs among it.
SHARE = """
import resource
def used():
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)
before, began = used(), time.monotonic()
{}
found = 100 * (used() - before) / (time.monotonic() - began)
"""
IN_THREADS = """
workers = [threading.Thread(target=work, args=({},)) for _ in range({})]
for one in workers: one.start()
for one in workers: one.join()
"""
# What a busy machine kept from its threads while they were not stopped, as a share too.
COUNTING_WAITS = """
waits, compute = [], work
def work(seconds):
    compute(seconds)
    waits.append(int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9)
"""
BOTH = "\nfound = [found, 100 * sum(waits) / (time.monotonic() - began)]"
CHILD = "import hashlib, time\nend = time.monotonic() + 2\nwhile time.monotonic() < end: " + (
    "hashlib.pbkdf2_hmac('sha256', b'x', b'y', 1000)"
)
IN_PROCESSES = f"""
workers = [subprocess.Popen([sys.executable, "-c", {CHILD!r}]) for _ in range(2)]
for one in workers: one.wait()
"""
# Each computes for no longer than a look takes to come.
IN_SHORT_PROCESSES = """
end = time.monotonic() + 2
brief = "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done"
while time.monotonic() < end: subprocess.run(["sh", "-c", brief])
"""


@pytest.fixture(autouse=True)
def _no_groups(poorer):
    poorer("cgroups")


@pytest.fixture
def missed(monkeypatch):
    """Seconds of all processors that pass in the longest delay of a look, which a busy machine
    makes: for so long a host may run on that was to be stopped."""
    decide, due, late = Throttle._decide, {}, [0.0]

    def noted(throttle, now):
        late.append(now - due.get(throttle, now))
        delay = decide(throttle, now)
        due[throttle] = now + delay
        return delay

    monkeypatch.setattr(Throttle, "_decide", noted)
    return lambda: len(os.sched_getaffinity(0)) * max(late)


def _run(manager, code, **settings):
    return manager.execute("it", "run", {"code": code}, **settings)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("percent", [10, 25, 50])
def test_a_host_has_about_the_share_that_it_may_have(limited, missed, percent, threads):
    manager = limited(["FileSystem"], max_cpu_percent=percent)
    share, waited = _run(
        manager, COUNTING_WAITS + SHARE.format(IN_THREADS.format(SECONDS, threads)) + BOTH
    )
    assert share < 1.15 * percent + 1 + 100 * missed() / SECONDS
    assert share + waited > 0.8 * percent


def test_two_processors_can_be_shared_too(limited, missed):
    share = _run(limited(max_cpu_percent=150), SHARE.format(IN_THREADS.format(SECONDS, 4)))
    # Whether it had as much depends on what else goes on.
    assert share < 165 + 100 * missed() / SECONDS


@pytest.mark.parametrize("how", [IN_PROCESSES, IN_SHORT_PROCESSES], ids=["two", "many"])
def test_what_it_started_has_its_share_together_with_it(limited, missed, how):
    manager = limited(["ProcessSpawn", "MemoryAllocation"], max_cpu_percent=30, max_threads=64)
    share = _run(manager, SHARE.format(how))
    assert share < 36 + 100 * missed() / SECONDS


NEVER_STOPPED = """
continued = []
signal.signal(signal.SIGCONT, lambda *it: continued.append(it))
for _ in range(50): time.sleep(0.01)
found = len(continued)
"""


@pytest.fixture
def rested(limited, wait_until):
    """Makes a manager whose plugin has paid for its load, and so begins a call at once."""

    def make(**limits):
        manager = limited(**limits)
        manager.load_plugin("it")
        (host,) = manager._engine.catalogue.record("it").slots.hosts
        throttle = host._usage._throttle
        full = throttle._share * _SAVED
        wait_until(lambda: throttle._credit >= 0.9 * full, "what it may save", timeout=60.0)
        return manager

    return make


def test_a_host_that_uses_less_is_never_stopped(rested):
    assert _run(rested(max_cpu_percent=50), NEVER_STOPPED) == 0


# Without what a busy machine kept from the thread.
STOPS = """
def runs():
    waited = int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    return time.monotonic() - waited
work(1)
stops, last, end = [], runs(), time.monotonic() + 2
while time.monotonic() < end:
    now = runs()
    if now - last > 0.02: stops.append(now - last)
    last = now
found = sorted(stops)[len(stops) // 2]
"""


def test_its_stops_are_short(limited):
    assert _run(limited(["FileSystem"], max_cpu_percent=25), STOPS) < 0.1


def test_deadlines_hold_while_it_is_stopped_most_of_the_time(rested):
    manager = rested(max_cpu_percent=5, grace=10.0)
    pid = _run(manager, "found = os.getpid()")
    with pytest.raises(PluginTimeoutError, match="interrupted"):
        _run(manager, "while True: pass", timeout=1.5)
    assert _run(manager, "found = os.getpid()") == pid


# In C, where no interrupt is looked for.
IGNORING = "import itertools; max(itertools.repeat(0))"


def test_one_that_ignores_interrupts_is_killed_in_time(rested):
    manager = rested(max_cpu_percent=5, grace=0.3)
    pid = _run(manager, "found = os.getpid()")
    began = time.monotonic()
    with pytest.raises(PluginTimeoutError):
        _run(manager, IGNORING, timeout=1.5)  # in which it has to have begun
    assert time.monotonic() - began < 10.0  # or else never
    assert _run(manager, "found = os.getpid()", timeout=60.0) != pid


IN_THE_BACKGROUND = """
threading.Thread(target=work, args=(60,), daemon=True).start()
running = subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
"""


def _stopped(manager_pid):
    return [one for one in psutil.Process(manager_pid).children(recursive=True) if _is_stopped(one)]


def _is_stopped(process):
    with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
        return process.status() == psutil.STATUS_STOPPED
    return False


@pytest.mark.parametrize("missing", [(), ("pid_namespace",)])
def test_nothing_of_a_stopped_host_outlives_its_manager(limited, poorer, wait_until, missing):
    poorer(*missing)
    manager = limited(["ProcessSpawn"], max_cpu_percent=5)
    _run(manager, IN_THE_BACKGROUND, timeout=60.0)
    wait_until(lambda: len(_stopped(os.getpid())) > 1, "a stop")
    manager.close()  # what is left is looked for after each test


KILLED = """
import sys, time
import msgspec
from nebula_lab import PluginManager
from nebula_lab.confine.machine import Mechanism
from nebula_lab.sandbox import probing

machine = msgspec.structs.replace(probing._probe(), cgroups=Mechanism(False))
probing._probe = lambda: machine

security = {"capabilities": ["ProcessSpawn"], "resource_limits": {"max_cpu_percent": 5}}
manager = PluginManager({"plugin_dir": sys.argv[1], "security": security})
manager.execute("it", "run", {"code": sys.argv[2]}, timeout=60.0)
print("ready", flush=True)
time.sleep(60)
"""


def test_nothing_of_a_stopped_host_outlives_a_killed_manager(limited, tmp_path, wait_until):
    limited(["ProcessSpawn"])  # for its file
    command = [sys.executable, "-c", KILLED, str(tmp_path / "plugins"), IN_THE_BACKGROUND]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as killed:
        try:
            assert killed.stdout.readline() == b"ready\n"
            wait_until(lambda: len(_stopped(killed.pid)) > 1, "a stop")
            family = psutil.Process(killed.pid).children(recursive=True)
        finally:
            killed.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(one.is_running() for one in family), "the end of all")
