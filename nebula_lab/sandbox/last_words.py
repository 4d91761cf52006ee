"""The pipe behind a host's descriptors 1 and 2: what it writes there survives its crash."""

from __future__ import annotations

import codecs
import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path

from nebula_lab.transport.loop import LoopThread

_KEPT = 64 * 1024
_CHUNK = 64 * 1024
_PACKAGE = Path(__file__).parents[1]
# As faulthandler writes the frames below the plugin's, and what it adds at the end.
_OURS = (f'  File "{_PACKAGE}/', '  File "<frozen runpy>"', "Extension modules:")


class LastWords:
    """Reads the pipe while the host lives and keeps the end of what it said.

    Args:
        loop: reads whenever something comes.
        on_text: is given the text.

    Attributes:
        on_end: called when there will be no more, before the descriptor is closed.
    """

    def __init__(self, loop: LoopThread, on_text: Callable[[str], None]) -> None:
        self._readable, self._writable = os.pipe()
        os.set_blocking(self._readable, False)
        self._loop = loop
        self._on_text = on_text
        self._kept = ""
        self._reading = threading.Lock()
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._open = True
        self.on_end: Callable[[], object] = lambda: None
        loop.watch(self._readable, self.collect)

    @property
    def readable(self) -> int:
        """Our end, for those who have to know when something has come."""
        return self._readable

    @property
    def writable(self) -> int:
        """The end for the host; close ours with `started` once it has it."""
        return self._writable

    def started(self) -> None:
        os.close(self._writable)

    def collect(self) -> None:
        """Read what there is now; any thread.

        That is at most what the pipe holds: a host that goes on writing must not keep whoever
        reads, above all the thread that reads for all hosts, from everything else.
        """
        with self._reading:
            for _ in range(self._pieces):
                if not self._open or not self._read():
                    return

    def _read(self) -> bool:
        """Read a piece and pass it on; whether there may be another."""
        try:
            data = os.read(self._readable, _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._end()
            return False
        text = self._decode(data)
        self._kept = (self._kept + text)[-_KEPT:]
        self._on_text(text)
        return True

    @property
    def _pieces(self) -> int:
        # The host may have made the pipe larger. One more piece, to see the end.
        return fcntl.fcntl(self._readable, fcntl.F_GETPIPE_SZ) // _CHUNK + 2 if self._open else 0

    def settle(self) -> None:
        """Wait until nobody is passing on what it has read."""
        if self._reading.locked():
            with self._reading:
                pass

    def lines(self, count: int = 20) -> tuple[str, ...]:
        """The last lines, oldest first, without nebula_lab's own frames in a native traceback."""
        self.collect()
        lines = [line for line in self._kept.rstrip().splitlines() if not _is_ours(line)]
        return tuple(lines[-count:])

    @property
    def said(self) -> str:
        """The end of all that was read, as it came."""
        return self._kept

    def close(self) -> None:
        with self._reading:
            self._end()

    def _end(self) -> None:
        # The loop's thread may be waiting for our lock, so it is not waited for.
        if self._open:
            self._open = False
            self.on_end()
            self._loop.call(self._release)

    def _release(self) -> None:
        self._loop.unwatch(self._readable)
        os.close(self._readable)


def _is_ours(line: str) -> bool:
    return line.startswith(_OURS)
