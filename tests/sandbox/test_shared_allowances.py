"""What the kernel counts for a user as a whole, or does not count, no plugin takes all of."""

from __future__ import annotations

import ctypes
import errno
import os

import pytest

WATCH = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
taken = []
while len(taken) < 200 and (one := libc.inotify_init1(0)) >= 0:
    taken.append(one)
found = len(taken)
"""
# 8,000 entries of one and the same user, 64 kB for each file.
ATTRIBUTES = """
import errno, struct
def access(entries):
    rows = [(1, 7, -1), *[(2, 7, os.getuid())] * entries, (4, 7, -1), (16, 7, -1), (32, 7, -1)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *row) for row in rows)
def kept(entries):
    try:
        os.setxattr("f", "system.posix_acl_access", access(entries))
        return "kept"
    except OSError as error:
        return errno.errorcode[error.errno]
open("f", "w").close()
found = [kept(8000), kept(3)]
"""


@pytest.mark.parametrize("rights", [[], ["FileSystem"]], ids=["nothing", "all files"])
def test_watches_of_files_are_left_for_others(limited, rights):
    manager = limited(rights)
    taken = manager.execute("it", "run", {"code": WATCH})
    assert taken in {0, 8}  # none where the system does not let anybody have fewer
    descriptor = ctypes.CDLL(None, use_errno=True).inotify_init1(os.O_CLOEXEC)
    assert descriptor >= 0, errno.errorcode[ctypes.get_errno()]
    os.close(descriptor)


def test_no_large_attributes_of_files_are_kept_in_memory_that_nobody_counts(limited):
    large, small = limited().execute("it", "run", {"code": ATTRIBUTES})
    assert large == "ENOTSUP"
    assert small in {"kept", "ENOTSUP"}  # not every kernel has them in memory


def test_signals_that_may_wait_are_left_for_others(limited):
    code = "import resource; found = resource.getrlimit(resource.RLIMIT_SIGPENDING)[1]"
    assert limited().execute("it", "run", {"code": code}) <= 4096
