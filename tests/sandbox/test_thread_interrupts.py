"""Interrupts of a thread of this process leave nothing behind in the interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest

# What is done to a thread, then a function is profiled: CPython 3.11 stands still there as long as
# an exception is on its way to any thread.
SCRIPT = """
import sys, threading
from nebula_lab.sandbox.thread_interrupts import ThreadInterrupts

interrupts, began = ThreadInterrupts(), threading.Event()

def spin():
    began.set()
    while True:
        pass

def serve():
    try:
        interrupts.run(1, {work})
    except KeyboardInterrupt:
        print("interrupted")

thread = threading.Thread(target=serve)
thread.start()
{meanwhile}
thread.join()
sys.setprofile(lambda *event: None)
print(len([str(number) for number in range(1000)]))
sys.setprofile(None)
"""
CASES = {
    "an interrupt that came": ("spin", "began.wait(); interrupts.interrupt(1)", "interrupted\n"),
    "no interrupt": ("lambda: None", "", ""),
    "an interrupt that came too late": (
        "lambda: None",
        "thread.join(); interrupts.interrupt(1)",
        "",
    ),
    "a message sent meanwhile": ("lambda: interrupts.__enter__()", "", ""),
}


@pytest.mark.parametrize("case", CASES)
def test_code_can_be_profiled_after(case):
    work, meanwhile, said = CASES[case]
    script = SCRIPT.format(work=work, meanwhile=meanwhile)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30
    )
    assert (done.stdout, done.stderr) == (f"{said}1000\n", "")
