"""Memory that a host writes the stacks of its threads into: see `nebula_lab.agent.stack_dumps`.

Behind the stacks is the number of the call that its main thread runs: see
`nebula_lab.agent.executing`.

A host may write whatever it likes there, but no more than there is room for: the memory is of the
manager's making and sealed. Both sides have one position in it, since they have one open file.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import threading

from nebula_lab.agent.executing import NUMBER_SIZE

# A hundred threads of a hundred frames would be a megabyte; three threads of fifty are 15 kB.
SIZE = 128 * 1024


class StackDump:
    """The memory, for one host.

    Raises:
        OSError: there are no descriptors left.
    """

    def __init__(self) -> None:
        self._moving = threading.Lock()
        self._begun = 0
        self._descriptor = os.memfd_create("nebula-stacks", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        try:
            os.ftruncate(self._descriptor, SIZE + NUMBER_SIZE)
            seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
            fcntl.fcntl(self._descriptor, fcntl.F_ADD_SEALS, seals)
        except BaseException:
            self.close()
            raise

    def fileno(self) -> int:
        """Also for the host, by inheritance: a file opened anew would have another position."""
        return self._descriptor

    def begin(self) -> int:
        """Make room for another dump; where it will begin. Any thread."""
        with self._moving, contextlib.suppress(OSError):
            start = os.lseek(self._descriptor, 0, os.SEEK_CUR)
            # Of two calls that are stopped at the same time one may lose its own by this.
            if not 0 <= start <= SIZE // 2:
                start = os.lseek(self._descriptor, 0, os.SEEK_SET)
            self._begun = start
            return start
        return 0

    def is_untouched(self) -> bool:
        """Whether nothing has been written since room was made for it last; any thread."""
        with self._moving, contextlib.suppress(OSError):
            return os.lseek(self._descriptor, 0, os.SEEK_CUR) == self._begun
        return False

    def since(self, start: int) -> str:
        """What has been written from there on; any thread. It may be anything."""
        with self._moving, contextlib.suppress(OSError):
            end = min(os.lseek(self._descriptor, 0, os.SEEK_CUR), SIZE)
            if start < end:
                return os.pread(self._descriptor, end - start, start).decode("ascii", "replace")
        return ""

    def executing(self) -> int:
        """The number of the call that runs on the main thread, as the host says; 0 without one."""
        with self._moving, contextlib.suppress(OSError):
            return int.from_bytes(os.pread(self._descriptor, NUMBER_SIZE, SIZE), sys.byteorder)
        return 0

    def close(self) -> None:
        """Give the memory back. Can be called again."""
        with self._moving:
            descriptor, self._descriptor = self._descriptor, -1
            if descriptor >= 0:
                os.close(descriptor)
