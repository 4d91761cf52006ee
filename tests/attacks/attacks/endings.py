"""Plugins that end, stop or block themselves."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time

from .attack import attack


@attack(after="SIGSEGV")
def crash_in_c(target):
    ctypes.string_at(0)


@attack(after="SIGABRT")
def abort(target):
    os.abort()


@attack(after="exit 3")
def exit_hard(target):
    os._exit(3)


@attack(after="SIGKILL")
def kill_itself(target):
    os.kill(os.getpid(), signal.SIGKILL)


@attack(after="stopped")
def stop_itself(target):
    os.kill(os.getpid(), signal.SIGSTOP)


@attack(after="deaf")
def ignore_deadline(target):
    while True:
        try:
            time.sleep(1)
        except BaseException as error:
            last = error  # noqa: F841


@attack(after="deaf")
def block_every_signal(target):
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    while True:
        time.sleep(1)


@attack(after="deaf")
def ignore_every_signal(target):
    for number in range(1, 32):
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(1)


@attack(after="deaf")
def spin_in_c(target):
    return sum(range(10**13))


@attack(after="exit 1")
def close_everything(target):
    os.closerange(0, 1 << 16)

    return "closed"


@attack(after="SIGSEGV")
def overflow_the_stack(target):
    callback = ctypes.PYFUNCTYPE(ctypes.c_int)

    @callback
    def again():
        return again()

    sys.setrecursionlimit(10**9)
    return again()
