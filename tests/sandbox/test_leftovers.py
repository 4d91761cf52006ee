"""Processes that a plugin left behind are found by the mark that they inherited."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nebula_lab.sandbox.leftovers import MARK, kill_marked

SLEEPING = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]


@pytest.fixture
def start():
    started = []

    def popen(**environment):
        process = subprocess.Popen(SLEEPING, env=environment, start_new_session=True)
        started.append(process)
        return process

    yield popen
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def mark(request):
    return f"{os.getpid()}-test-{request.node.name[:20]}-"


def test_one_that_was_started_an_instant_ago_is_not_missed(start, mark, wait_until):
    processes = [start(**{MARK: f"{mark}{number}."}) for number in range(40)]
    wait_until(lambda: not kill_marked(mark), "the end of all")
    assert [process.wait(10) for process in processes] == [-signal.SIGKILL] * 40


def test_a_young_one_without_an_environment_has_to_be_looked_at_again(start, mark):
    start()
    assert kill_marked(mark) >= 1


def test_one_with_another_mark_is_left_alone(start, mark, wait_until):
    other = start(**{MARK: f"{mark}1."})
    # Once it has its environment, and so can be told.
    wait_until(lambda: _has_environment(other.pid), "its environment")
    kill_marked(f"{mark}2.")
    assert other.poll() is None


def _has_environment(pid):
    return Path(f"/proc/{pid}/environ").read_bytes()
