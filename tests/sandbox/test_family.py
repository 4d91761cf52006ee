"""What a host has started is found from outside, and nothing else is taken for it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

import psutil
import pytest

from nebula_lab.sandbox.family import Family

# Two below it: one of them a child of another thread than the first.
PARENT = """
import subprocess, sys, threading, time
def start():
    subprocess.Popen(["sleep", "60"])
    print("ready", flush=True)
    time.sleep(60)
subprocess.Popen(["sleep", "60"], start_new_session=True, env={})
threading.Thread(target=start).start()
"""


@pytest.fixture
def parent():
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as started:
        assert started.stdout.readline() == b"ready\n"
        members = [psutil.Process(started.pid)]
        members += members[0].children(recursive=True)
        yield started
        for member in members:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()


@pytest.fixture
def family(parent):
    pidfd = os.pidfd_open(parent.pid)
    found = Family(parent.pid, pidfd, has_descendants=True)
    os.close(pidfd)
    yield found
    found.close()


def test_threads_and_processes_are_counted_together(family):
    assert family.threads() == 4


def test_children_of_all_threads_are_stopped_and_continued(family, parent, wait_until):
    members = [psutil.Process(parent.pid), *psutil.Process(parent.pid).children()]
    assert len(members) == 3
    family.signal(signal.SIGSTOP)
    wait_until(lambda: {one.status() for one in members} == {psutil.STATUS_STOPPED}, "the stop")
    family.signal(signal.SIGCONT)
    wait_until(lambda: psutil.STATUS_STOPPED not in {one.status() for one in members}, "the end")


def test_all_are_killed_that_were_there(family, parent, wait_until):
    children = psutil.Process(parent.pid).children()
    family.kill()
    assert parent.wait(10) == -signal.SIGKILL
    wait_until(lambda: not any(map(_is_there, children)), "the end of its children")


def _is_there(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE  # if nobody adopts it here
    return False


def test_of_one_that_has_ended_nothing_is_counted_or_signalled(family, parent):
    family.kill()
    parent.wait(10)
    assert family.threads() == 0
    assert family.processor_time() == 0
    family.signal(signal.SIGKILL)


LEFT = """
running = subprocess.Popen(["sleep", "60"], env={}, start_new_session=True)
found = running.pid
"""


def test_without_a_pid_namespace_nothing_gets_away_when_the_manager_ends_a_host(
    limited, poorer, wait_until
):
    poorer("pid_namespace")
    manager = limited(["ProcessSpawn"])
    pid = manager.execute("it", "run", {"code": LEFT})
    left = psutil.Process(pid)
    assert left.cmdline() == ["sleep", "60"]
    manager.close()
    wait_until(lambda: not _is_there(left), "its end")
