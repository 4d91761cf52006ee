"""Writes down the stacks of all threads of a host, for a manager that stops a call.

A host that takes an interrupt writes them first. One that does not is sent another signal, whose
handler is C, in whichever thread it comes to: no lock of Python's is needed, so it works while C
code holds that, in a call that never returns, and with signals blocked in every thread but one.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal

from nebula_lab.confine import signals


def write_now(descriptor: int) -> None:
    """Write the stacks; nothing of Python's moves meanwhile, since this thread has its lock."""
    with contextlib.suppress(OSError):
        faulthandler.dump_traceback(descriptor, all_threads=True)


def write_upon_signal(descriptor: int) -> None:
    """Write the stacks to a descriptor, which is nobody else's from now on, at each signal."""
    os.set_inheritable(descriptor, False)
    faulthandler.register(signals.STACKS, file=descriptor, all_threads=True, chain=False)
    # An interrupt that comes while the stacks are written ends no wait: this has to.
    signal.siginterrupt(signals.STACKS, True)
