"""What holds a process while a kernel boots in it that is not to be trusted.

A host whose packages its plugin chose has the first part of its confinement from trusted code, and
the second from its own. It may leave that out. So there is this between the two: what the second
takes, with room for a boot, and with what a kernel asks of the system only while it boots.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from nebula_lab.confine import limits, seccomp

if TYPE_CHECKING:
    from nebula_lab.confine.confinement import Confinement

# What a kernel takes for itself, with room to spare: some 60 MB, 40 descriptors and 8 threads were
# measured.
_MEMORY, _FILES, _THREADS = 256 * 2**20, 128, 32


def hold(one: Confinement) -> None:
    """Take this from this process, and so from whatever it becomes.

    Raises:
        OSError: something can't be taken, so nothing of a plugin may run here.
    """
    limits.leave_no_core()
    limits.limit_files(one.files + _FILES)
    limits.limit_signals()
    if one.threads is not None:
        limits.limit_threads(one.threads + _THREADS, beside=2 if one.guard else 0)
    limits.keep_main_stack()
    if one.is_restricted and not one.namespaces:
        limits.limit_files_size(one.home_size)
    limits.limit_memory(one.memory + _MEMORY, maps=one.maps)
    if one.seccomp:
        # IPython sets modes of files; without a tree of its own, that is a gap which is told.
        calls = structs.replace(one.system_calls(), boots=True, metadata=True)
        seccomp.apply(seccomp.filter_for(calls))
