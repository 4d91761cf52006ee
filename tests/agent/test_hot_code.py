"""The code that a boot runs is laid side by side, so that forks copy fewer pages."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from array import array

import pytest

from nebula_lab.agent.hot_code import Recording

# In a process of its own: there, no other test has told the collector to leave functions alone.
GATHERED = """
from nebula_lab.agent.hot_code import Functions
made = {}
for number in range(3000):
    exec(f"def f(): return {number} + len(str({number}))", made)
    made[number] = made.pop("f")
def counter():
    count = 0
    def count_on():
        nonlocal count
        count += 1
        return count
    return count_on
counters = [counter(), counter()]
functions = Functions()
functions.add_new()
hot = [made[number] for number in range(0, 3000, 30)]
"""


def gathered(more):
    done = subprocess.run(
        [sys.executable, "-c", GATHERED + more], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_it_lies_on_a_fifth_of_the_pages():
    before, after = gathered(
        "pages = lambda: len({id(one.__code__) // 4096 for one in hot})\n"
        "print(pages())\n"
        "functions.gather(id(one.__code__) for one in list(hot))\n"
        "print(pages())"
    )
    assert int(after) < int(before) / 5


def test_functions_do_what_they_did():
    assert gathered(
        "before = [one() for one in hot]\n"
        "print(functions.gather(id(one.__code__) for one in list(hot)))\n"
        "print([one() for one in hot] == before)"
    ) == ["100", "True"]


def test_functions_of_one_code_share_it_still_and_each_has_its_own_variables():
    assert gathered(
        "before = id(counters[0].__code__)\n"
        "print(counters[0](), counters[0]())\n"
        "functions.gather([before])\n"
        "print(counters[0].__code__ is counters[1].__code__, id(counters[0].__code__) != before)\n"
        "print(counters[0](), counters[1]())"
    ) == ["1", "2", "True", "True", "3", "1"]


def test_a_place_where_no_code_is_is_left_alone():
    assert gathered("print(functions.gather([0, 1, 2**64 - 1, id(functions)]))") == ["0"]


@pytest.fixture
def recording():
    made = Recording()
    yield made
    made.close()


def marked():
    """Runs under a name of its own."""


def other():
    """Runs on another thread."""


def test_what_ran_is_told_of_this_thread_and_of_those_that_it_started(recording):
    recorder = recording.recorder()
    recorder.start()
    marked()
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    recorder.finish()
    assert {id(marked.__code__), id(other.__code__)} <= set(recording.read())


def test_afterwards_nothing_is_noted_by_any_thread(recording):
    go_on, found = threading.Event(), []

    def wait():
        go_on.wait()
        marked()
        found.append(sys.getprofile())

    recorder = recording.recorder()
    recorder.start()
    thread = threading.Thread(target=wait)
    thread.start()
    recorder.finish()
    go_on.set()
    thread.join()
    assert [*found, sys.getprofile(), threading.getprofile()] == [None, None, None]


def test_a_profiler_that_came_in_between_stays(recording):
    def profiler(*_):
        """Somebody's own."""

    recorder = recording.recorder()
    recorder.start()
    sys.setprofile(profiler)
    try:
        recorder.finish()
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)


def test_of_a_host_that_has_ended_before_it_could_tell_there_is_nothing(recording):
    recording.let_go()
    assert recording.read() == array("Q")


def test_a_zygote_that_is_gone_is_not_told(recording):
    theirs = Recording()
    recorder = theirs.recorder()
    theirs.close()
    recorder.start()
    recorder.finish()


def test_what_comes_in_parts_is_read_in_parts(recording):
    numbers = array("Q", range(1000)).tobytes()
    os.write(recording._other_end, numbers[:4001])
    assert recording.read() is None
    os.write(recording._other_end, numbers[4001:])
    assert recording.read() is None
    recording.let_go()
    assert recording.read() == array("Q", range(1000))
