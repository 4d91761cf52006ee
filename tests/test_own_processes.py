"""The look for what a test left behind finds it, however it was started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from multiprocessing.util import spawnv_passfds

from own_processes import described, processes

from nebula_lab.sandbox.leftovers import MARK

WAIT = "import sys; sys.stdin.read()"
ORPHAN = (
    "import os, sys\nif os.fork() == 0:\n    os.setsid()\n    print(os.getpid(), flush=True)\n"
    "    sys.stdin.read()"
)


def _pids():
    return {pid for pid, _ in processes()}


def test_a_program_is_found_and_described_until_it_has_ended():
    before = _pids()
    with subprocess.Popen([sys.executable, "-S", "-c", WAIT], stdin=subprocess.PIPE) as program:
        assert _pids() - before == {program.pid}
        assert any(WAIT in line for line in described(processes()))
        program.stdin.close()
    assert _pids() == before


def test_one_that_was_started_as_multiprocessing_does_is_found():
    """By its own start of a program, of which no auditing event tells."""
    command = [sys.executable, "-S", "-c", "import signal; signal.pause()"]
    pid = spawnv_passfds(os.fsencode(sys.executable), command, ())
    try:
        assert pid in _pids()
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert pid not in _pids()


def test_an_orphan_is_found_by_the_mark_of_its_owner(wait_until):
    environment = {**os.environ, MARK: f"{os.getpid()}-orphan"}
    read, write = os.pipe()
    with os.fdopen(write, "w"):
        orphan = _orphaned(read, environment)
        assert orphan in _pids()
    os.close(read)
    wait_until(lambda: orphan not in _pids(), "its end")


def _orphaned(stdin, environment):
    command = [sys.executable, "-S", "-c", ORPHAN]
    with subprocess.Popen(
        command, stdin=stdin, stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        pid = int(parent.stdout.readline())
        parent.wait()
    return pid
