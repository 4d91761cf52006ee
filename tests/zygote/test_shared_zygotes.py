"""Managers of one process fork from the same zygote, and it lives as long as one of them."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from test_hostile_zygotes import THREADS, preload

from nebula_lab.model import ZygoteConfig
from nebula_lab.sandbox.launcher import Launcher
from nebula_lab.sandbox.nursery import Nursery, nursery


@pytest.fixture
def lab(open_lab):
    """One whose zygote imports nothing that a load would not wait for on a busy machine."""
    return open_lab(preload=[])


@pytest.fixture
def two(open_lab):
    labs = open_lab(preload=[]), open_lab(preload=[])
    for lab in labs:
        lab.pid("one")
    return labs


def test_two_managers_fork_from_one_zygote(two):
    one, other = two
    assert one.zygote_pid == other.zygote_pid == psutil.Process(other.pid("one")).ppid()


def test_a_manager_that_closes_leaves_the_zygote_to_the_others(two):
    one, other = two
    other.plugins.close()
    assert one.is_forked("two")
    assert psutil.Process(one.pid("two")).ppid() == one.zygote_pid


def test_the_hosts_of_a_manager_that_closes_are_given_up_by_the_zygote(two, wait_until):
    one, other = two
    gone = psutil.Process(other.pid("one"))
    other.plugins.close()
    wait_until(lambda: gone not in psutil.Process(one.zygote_pid).children(), "its being reaped")


def test_the_last_manager_that_closes_ends_the_zygote(two):
    zygote = psutil.Process(two[0].zygote_pid)
    for lab in two:
        lab.plugins.close()
    assert not zygote.is_running()


def test_a_manager_that_preloads_something_else_has_a_zygote_of_its_own(open_lab):
    one, other = open_lab(), open_lab(preload=["colorsys"])
    for lab in (one, other):
        lab.pid("one")
    assert one.zygote_pid != other.zygote_pid


def test_once_the_zygote_is_killed_all_go_on_with_one_other(two, wait_until):
    former = two[0].zygote_pid
    os.kill(former, signal.SIGKILL)
    wait_until(lambda: two[0].zygote_pid != former, "word of its end")
    assert all(lab.is_forked("two") for lab in two)
    assert two[0].zygote_pid == two[1].zygote_pid != former


def test_a_module_that_is_unfit_is_not_preloaded_for_any_of_them(open_lab, tmp_path, wait_until):
    labs = [open_lab(preload=["threadful", "colorsys"]) for _ in range(2)]
    preload(labs[0], tmp_path, "threadful", THREADS)
    labs[1].launcher.environment = labs[0].launcher.environment
    for lab in labs:
        lab.plugins.load_plugin("one")
    wait_until(
        lambda: [lab.launcher._zygotes[-1].key.preload for lab in labs] == [("colorsys",)] * 2,
        "the zygote without it",
    )
    assert labs[0].is_forked("two")
    assert labs[0].zygote_pid == labs[1].zygote_pid


def test_variables_that_change_give_the_next_host_another_zygote_and_back_again(lab, monkeypatch):
    lab.pid("one")
    first = lab.zygote_pid
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    lab.pid("two")
    second = lab.zygote_pid
    monkeypatch.delenv("OMP_NUM_THREADS")
    lab.pid("three")
    # The first one was still there: it has a child.
    assert first != second
    assert psutil.Process(lab.pid("three")).ppid() == lab.zygote_pid
    assert psutil.Process(lab.pid("one")).ppid() == first


def test_managers_that_come_and_go_at_once_leave_nothing():
    def live(_):
        launcher = Launcher(ZygoteConfig(preload=()), nursery())
        try:
            launcher.warm_up()
            return launcher.zygote_pid
        finally:
            launcher.close()

    with ThreadPoolExecutor(8) as threads:
        assert all(isinstance(pid, int) for pid in threads.map(live, range(8)))
    assert not nursery()._users
    assert "nebula-zygotes" not in {thread.name for thread in threading.enumerate()}


def test_a_fork_begins_with_a_nursery_of_its_own():
    mark = nursery().mark
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write, nursery().mark.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as said:
        assert said.read() != mark
    os.waitpid(pid, 0)


def test_letting_go_twice_ends_nothing_of_others():
    own = Nursery()
    one, other = (Launcher(ZygoteConfig(preload=()), own) for _ in range(2))
    one.warm_up()
    other.warm_up()
    assert (one.close(), one.close()) == ([], [])
    assert other.zygote_pid is not None
    assert len(other.close()) == 1
