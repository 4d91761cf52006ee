"""Reading sources in many threads at once."""

from __future__ import annotations

import ast
import gc
import os
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

from nebula_lab.model import syntax_tree as module
from nebula_lab.model.syntax_tree import syntax_tree

NESTED = "x = " + "[" * 40 + "]" * 40 + "\n" + "y = {1: (2, 3)}\n" * 50


def test_threads_parse_at_the_same_time():
    def let_others(*_):
        time.sleep(0)

    threshold = gc.get_threshold()
    gc.set_threshold(50)  # a collection in the middle of parsing is when threads change
    gc.callbacks.append(let_others)
    try:
        with ThreadPoolExecutor(8) as threads:
            trees = list(threads.map(syntax_tree, [NESTED] * 100))
    finally:
        gc.callbacks.remove(let_others)
        gc.set_threshold(*threshold)
    assert all(isinstance(tree, ast.Module) for tree in trees)


def test_warnings_are_as_they_were_afterwards():
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(syntax_tree, [r"'\d'"] * 200))
    assert list(warnings.filters) == before


def test_a_fork_can_parse_though_a_thread_was_at_it():
    begun, over = threading.Event(), threading.Event()

    def parse():
        with module._parsing:
            begun.set()
            over.wait()

    thread = threading.Thread(target=parse)
    thread.start()
    begun.wait()
    pid = os.fork()
    if pid == 0:
        syntax_tree("x = 1")
        os._exit(0)
    over.set()
    thread.join()
    assert os.waitpid(pid, 0)[1] == 0
