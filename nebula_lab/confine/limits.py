"""Limits of a process's resources, counted from what it uses at that moment; see setrlimit(2)."""

from __future__ import annotations

import ctypes
import os
import resource
from pathlib import Path

# Address space without memory behind it, which allocators reserve and do not use: numpy, pandas,
# polars and pyarrow together took 700 MiB of it.
_RESERVED = 2**30
# What the manager may lend it to read and to write; see `nebula_lab.link.lender`.
LENT = 2 * 2**30
_UNLIMITED = resource.RLIM_INFINITY
_MOST_SIGNALS = 4096
# With 1 MiB CPython crashes in some recursions of C code before it sees that they are too deep.
_SMALLEST_STACK = 2**21
_LARGEST_STACK = 2**26
_ATTRIBUTES = 8  # as many long words as a pthread_attr_t has; 7 on x86_64, 8 on aarch64
_libc = ctypes.CDLL(None)


def limit_memory(more: int, *, maps: bool) -> None:
    """Let this process allocate `more` bytes than it has now; then there is a MemoryError.

    Args:
        more: than there are.
        maps: whether it may map files of any size. If not, all that it maps is limited too, since
            what it writes to and then makes read-only is no data any more.
    """
    used = _status()
    _lower(resource.RLIMIT_DATA, used["VmData"] * 1024 + more)
    if not maps:
        _lower(resource.RLIMIT_AS, used["VmSize"] * 1024 + more + _RESERVED + LENT)


def limit_files(more: int) -> None:
    """Let this process open `more` files than it has now."""
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))  # noqa: PTH208
    _lower(resource.RLIMIT_NOFILE, highest + 1 + more)


def limit_signals() -> None:
    """Let this process have some signals waiting, and timers that would send one.

    The kernel counts both for each user: who has them all keeps others of the user's from any.
    """
    _lower(resource.RLIMIT_SIGPENDING, _MOST_SIGNALS)


def limit_threads(more: int, *, beside: int = 0) -> None:
    """Let this process start `more` threads and processes than it has now.

    The kernel counts a user's threads in each user namespace, so this one is to have its own; and
    it does not count root's.

    Args:
        more: than there are.
        beside: processes of ours that are in this user namespace too.
    """
    _lower(resource.RLIMIT_NPROC, _status()["Threads"] + beside + more)


def limit_stacks(size: int) -> None:
    """Let each thread that starts from now on reserve `size` bytes for its stack, or the usual.

    A stack counts as data as a whole, however little of it is ever used. What asks for a size of
    its own gets that.
    """
    attributes = (ctypes.c_ulong * _ATTRIBUTES)()
    usual = ctypes.c_size_t()
    try:
        get, set_ = _libc.pthread_getattr_default_np, _libc.pthread_setattr_default_np
    except AttributeError:  # only glibc has them; musl's stacks are small
        return
    if get(attributes):
        return
    _libc.pthread_attr_getstacksize(attributes, ctypes.byref(usual))
    if size < usual.value:
        _libc.pthread_attr_setstacksize(attributes, ctypes.c_size_t(max(size, _SMALLEST_STACK)))
        set_(attributes)
    _libc.pthread_attr_destroy(attributes)


def keep_main_stack() -> None:
    """Let the main thread's stack not become larger than it may be now.

    What is written below it makes it grow, and counts as no data.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_STACK)
    _lower(
        resource.RLIMIT_STACK, _LARGEST_STACK if soft == _UNLIMITED else min(soft, _LARGEST_STACK)
    )


def limit_files_size(size: int) -> None:
    """Let this process write no file larger than `size` bytes."""
    _lower(resource.RLIMIT_FSIZE, size)


def leave_no_core() -> None:
    """A crash writes no image of the memory to wherever the system collects them."""
    # To a program that collects them 0 is no limit; see core(5) and fs/coredump.c. Of a file that
    # may have one byte nothing is written.
    _lower(resource.RLIMIT_CORE, 1)


def _lower(number: int, value: int) -> None:
    _, hard = resource.getrlimit(number)
    if hard != _UNLIMITED:
        value = min(value, hard)
    resource.setrlimit(number, (value, value))


def _status() -> dict[str, int]:
    """The numbers in /proc/self/status, sizes in kB."""
    numbers = {}
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        words = value.split()
        if words and words[0].isdigit():
            numbers[name] = int(words[0])
    return numbers
