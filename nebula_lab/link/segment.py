"""Shared memory without a name: made and sealed by the manager, mapped by one host.

Both kinds are sealed against shrinking, so that no access can find its pages gone, against
growing, and against further seals. A segment for a host is also sealed against every writer but
the mapping that was made before: the host can't write to it by any way, not even by opening it
again. One for the manager can be written by the host at any time; the manager never maps it, and
copies it out by `pread`, to which a hole that the host punches is zeros and no SIGBUS.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import sys

SUPPORTED = (
    sys.platform == "linux" and hasattr(os, "memfd_create") and hasattr(fcntl, "F_ADD_SEALS")
)
# Linux 5.1; Python has no name for it before 3.13.
_F_SEAL_FUTURE_WRITE = 0x0010


def make_for_host(size: int) -> tuple[int, mmap.mmap]:
    """A segment that the host can only read: its descriptor, and the one mapping that writes.

    Raises:
        OSError: the system has no room for it.
    """
    descriptor = _allocated("nebula-params", size)
    try:
        mapping = mmap.mmap(descriptor, size, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
        _seal(descriptor, _F_SEAL_FUTURE_WRITE)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, mapping


def make_for_manager(size: int) -> int:
    """The descriptor of a segment that the host writes and the manager reads.

    Raises:
        OSError: the system has no room for it.
    """
    descriptor = _allocated("nebula-results", size)
    try:
        _seal(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _allocated(name: str, size: int) -> int:
    descriptor = os.memfd_create(name, os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    try:
        # Now rather than at the first touch, where there is no error but SIGBUS.
        os.posix_fallocate(descriptor, 0, size)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _seal(descriptor: int, more: int) -> None:
    seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL | more
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)


def map_segment(descriptor: int, size: int, *, writable: bool) -> mmap.mmap:
    """A segment of the manager's in the host's memory; it keeps a descriptor of its own.

    Raises:
        OSError: the system has no room for it.
    """
    protection = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
    # A page at a time, on first touch, costs twice what all of them at once do.
    return mmap.mmap(descriptor, size, mmap.MAP_SHARED | mmap.MAP_POPULATE, protection)


def read_segment(descriptor: int, offset: int, target: memoryview) -> None:
    """Copy bytes of a segment out of the host's reach.

    Raises:
        OSError: it does not have them.
    """
    while target:
        count = os.preadv(descriptor, [target], offset)
        if not count:
            raise OSError("a segment ended before its end")
        target = target[count:]
        offset += count
