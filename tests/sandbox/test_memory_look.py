"""What a host uses of memory, where the limits of a process do not see it."""

from __future__ import annotations

import os
import threading

import pytest

from nebula_lab import PluginManager
from nebula_lab.confine.limits import LENT
from nebula_lab.errors import PluginCrashedError
from nebula_lab.link.lender import MOST_BYTES
from nebula_lab.model.policy import Limits
from nebula_lab.sandbox import memory_look, pidfds

MIB = 1 << 20
# Each part is written to and then made read-only, so that no limit counts it any more.
READ_ONLY = """
import ctypes, mmap
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
for _ in range({parts}):
    address = libc.mmap(None, ctypes.c_size_t(64 << 20), 3, 0x22, -1, ctypes.c_long(0))
    assert address != ctypes.c_void_p(-1).value
    ctypes.memset(address, 1, 64 << 20)
    assert libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(64 << 20), 1) == 0
import time; time.sleep({wait})
"""
CHILDREN = """
import mmap, time
held = {before}
for _ in range({count}):
    if os.fork() == 0:
        mine = bytearray({each} << 20)
        open("{ready}", "ab").write(b".")
        time.sleep(600)
while not os.path.exists("{ready}") or os.path.getsize("{ready}") < {count}: time.sleep(0.01)
time.sleep({wait})
found = "there"
"""


def _run(manager, code):
    return manager.execute("it", "run", {"code": code}, timeout=60)


def test_there_is_address_space_for_all_that_can_be_lent():
    assert LENT == 2 * MOST_BYTES


def test_memory_that_was_made_read_only_counts(limited):
    with pytest.raises(PluginCrashedError, match=r"it used .* of 256 MiB that max_memory allows"):
        _run(limited(), READ_ONLY.format(parts=8, wait=600))


# One page in each 2 MiB is read, of nothing: the kernel's tables for that are all that there is.
TABLES = """
import mmap, time
nothing = mmap.mmap(-1, 1 << 40, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ)
nothing.madvise(mmap.MADV_NOHUGEPAGE)
for at in range(0, 1 << 40, 2 << 20): nothing[at]
time.sleep(600)
"""


def test_tables_of_what_is_mapped_count(limited, tmp_path):
    manager = limited(["FileSystem"], paths=[str(tmp_path)], max_memory=64 * MIB)
    with pytest.raises(PluginCrashedError, match=r"it used .* of 64 MiB that max_memory allows"):
        _run(manager, TABLES)


def test_each_process_is_held_to_it(limited):
    code = f"if os.fork() == 0:\n    exec({READ_ONLY.format(parts=8, wait=600)!r})\nos.wait()"
    with pytest.raises(PluginCrashedError, match="one of its processes"):
        _run(limited(["ProcessSpawn"]), code)


def test_processes_together_have_twice_what_one_has(limited, tmp_path):
    manager = limited(["ProcessSpawn"], max_scratch=MIB)
    code = CHILDREN.format(before=0, count=5, each=180, ready="ready", wait=600)
    with pytest.raises(PluginCrashedError, match="all its processes"):
        _run(manager, code)


def test_what_processes_share_since_a_fork_counts_once(limited):
    manager = limited(["ProcessSpawn"], max_scratch=MIB)
    code = CHILDREN.format(before="bytearray(180 << 20)", count=8, each=0, ready="ready", wait=1)
    assert _run(manager, code) == "there"


def test_the_loop_does_not_wait_for_the_kernel_to_divide_what_is_shared(limited, monkeypatch):
    threads = set()
    share_of = pidfds.share_of_memory_of

    def noted(pid):
        threads.add(threading.current_thread().name.partition("_")[0])
        return share_of(pid)

    monkeypatch.setattr(pidfds, "share_of_memory_of", noted)
    manager = limited(["ProcessSpawn"], max_scratch=MIB)
    code = CHILDREN.format(before="bytearray(180 << 20)", count=8, each=0, ready="ready", wait=1)
    assert _run(manager, code) == "there"
    assert threads == {"nebula-memory"}


TAKES = """
import time
from typing import Any
from nebula_lab.plugin import Plugin, operation

class It(Plugin):
    @operation
    def take(self, array: Any) -> int:
        total = int(array.sum())
        time.sleep(0.3)
        return total

def plugin_entry(): return It()
"""


def test_what_is_lent_is_not_its_own(plugin_file):
    numpy = pytest.importorskip("numpy")
    path = plugin_file("it", TAKES, security={"capabilities": ["ProcessSpawn"]})
    security = {
        "capabilities": ["ProcessSpawn"],
        "resource_limits": {"max_scratch": MIB},
    }
    array = numpy.ones(560 * MIB, dtype=numpy.uint8)  # and 513 MiB is what all may have
    with PluginManager({"plugin_dir": path.parent, "security": security}) as manager:
        for _ in range(2):  # the first goes over the socket
            small = array[: 60 * MIB]
            assert manager.execute("it", "take", {"array": small}) == len(small)
        assert manager.execute("it", "take", {"array": array}) == len(array)


class Two:
    """A host and what it has started."""

    has_descendants = True

    def pids(self):
        return [os.getpid(), os.getppid()]


def test_what_they_had_at_another_time_ends_nobody(monkeypatch, wait_until):
    limits = Limits(memory=MIB, cpu_percent=None, files=1, threads=1, scratch=MIB)
    much, shares, may_go_on = 1 << 34, [], threading.Event()
    own = pidfds.data_of(os.getpid())  # far below what they are said to have

    def share_of(pid):
        may_go_on.wait()
        shares.append((much, 0) if len(shares) < 2 else (0, 0))
        return shares[-1]

    monkeypatch.setattr(memory_look, "_DIVIDED", 0.0)
    monkeypatch.setattr(pidfds, "data_of", lambda pid: own)
    monkeypatch.setattr(pidfds, "memory_of", lambda pid: (0, much))
    monkeypatch.setattr(pidfds, "share_of_memory_of", share_of)
    look = memory_look.MemoryLook(Two(), limits, lambda: 0, lambda _: None)
    try:
        assert look() == ""  # it is not known yet
        may_go_on.set()
        wait_until(lambda: len(shares) == 2 and look._division.done(), "its end")
        assert look() == ""
        wait_until(lambda: look() or len(shares) >= 4, "another look")
        assert look() == ""
    finally:
        may_go_on.set()
        look.close()
