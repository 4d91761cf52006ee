"""Threads of a plugin that was granted nothing, and so has 256 MiB."""

from __future__ import annotations

import pytest

THREADS = """
import threading, numpy
numpy.linalg.svd(numpy.ones((60, 60)))

def in_threads(count):
    over, threads = threading.Event(), []
    try:
        for _ in range(count):
            threads.append(threading.Thread(target=over.wait))
            threads[-1].start()
        return len(threads)
    finally:
        over.set()
        for thread in threads:
            if thread.ident:
                thread.join()

def caught(recurse):
    names = []
    def run():
        try: recurse()
        except RecursionError: names.append("RecursionError")
    thread = threading.Thread(target=run)
    thread.start(); thread.join()
    return names
"""


def test_it_starts_nearly_as_many_as_its_limit_says(lab):
    assert lab.ask("one", "in_threads(60)", THREADS) == 60
    assert lab.is_forked("one")


@pytest.mark.parametrize(
    "recursion",
    [
        "def recurse(): recurse()",
        "def recurse(): sorted([1, 2], key=lambda _: recurse())",
        "def recurse(): eval('recurse()', {'recurse': recurse})",
        "import re\ndef recurse(): re.sub('a', lambda _: recurse(), 'a')",
        "import numpy\ndef recurse(*_): numpy.vectorize(recurse)([0])",
        "class A:\n  def __getattr__(self, name): return getattr(self, name + 'a')\n"
        "def recurse(): A().b",
    ],
)
def test_a_recursion_in_a_thread_that_never_ends_is_an_error(lab, recursion):
    pid = lab.pid("one")
    assert lab.ask("one", "caught(recurse)", f"{THREADS}\n{recursion}") == ["RecursionError"]
    assert lab.pid("one") == pid


def test_a_thread_may_have_a_larger_stack(lab):
    setup = f"{THREADS}\nimport sys\nsys.setrecursionlimit(4000)\nthreading.stack_size(32 << 20)"
    recursion = "def recurse(): sorted([1, 2], key=lambda _: recurse())"
    assert lab.ask("one", "caught(recurse)", f"{setup}\n{recursion}") == ["RecursionError"]
    lab.ask("one", "threading.stack_size(0)")


def test_it_is_so_with_processes_too(open_lab):
    lab = open_lab({"capabilities": ["ProcessSpawn"]})
    assert lab.ask("one", "in_threads(60)", THREADS) == 60
