"""A KeyboardInterrupt may come anywhere, and costs no more than what it was meant for."""

from __future__ import annotations

import contextlib
import gc
import random
import signal

import psutil
import pytest

# An interrupt in a finalizer is printed and gone, as Python does it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

ECHO = """
@operation
def echo(self, text: str) -> str:
    return text
"""


@pytest.fixture
def interrupt():
    """Does something, in which a KeyboardInterrupt comes after so many seconds."""

    def run(seconds, work):
        with contextlib.suppress(KeyboardInterrupt):
            try:
                signal.setitimer(signal.ITIMER_REAL, seconds)
                work()
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)

    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    gc.disable()  # callbacks of the test's own tools would be hit
    yield run
    gc.enable()
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def processes_of(plugin_id):
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            found += [process] if plugin_id in " ".join(process.cmdline()) else []
    return found


def call_for_ever(plugins):
    while True:
        plugins.execute("echo", "echo", {"text": "x"})


def test_a_call_after_an_interrupted_one_is_served(folder, interrupt):
    moments = random.Random(7)
    folder.plugin("echo", ECHO)
    with folder.manager() as plugins:
        plugins.load_plugin("echo")
        for _ in range(60):
            interrupt(moments.uniform(0.000005, 0.0015), lambda: call_for_ever(plugins))
            assert plugins.execute("echo", "echo", {"text": "y"}, timeout=60) == "y"


def test_interrupted_reloads_leave_one_process_that_serves(folder, interrupt, wait_until):
    moments = random.Random(3)
    folder.plugin("echo", ECHO)
    with folder.manager() as plugins:
        plugins.load_plugin("echo")
        for _ in range(20):
            interrupt(moments.uniform(0.0005, 0.03), lambda: plugins.reload_plugin("echo"))
        assert plugins.execute("echo", "echo", {"text": "y"}, timeout=60) == "y"
        wait_until(lambda: len(processes_of("echo")) == 1, "the end of the others")


def test_an_interrupted_load_leaves_a_plugin_that_can_be_loaded(folder, interrupt):
    moments = random.Random(5)
    folder.plugin("echo", ECHO)
    with folder.manager() as plugins:
        plugins.warm_up()
        for _ in range(15):
            interrupt(moments.uniform(0.0005, 0.03), lambda: plugins.load_plugin("echo"))
            plugins.load_plugin("echo")
            assert plugins.execute("echo", "echo", {"text": "y"}, timeout=60) == "y"
            plugins.unload_plugin("echo")
