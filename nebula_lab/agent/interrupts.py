"""Makes SIGINT stop the operation that the manager means, and nothing else.

A signal says nothing of which call it is for, and may come late. So it only means «read your
messages»: the main thread looks for a `Cancel` of the call that it runs, and raises
KeyboardInterrupt if it finds one. While a message is being sent or read, the look is put off.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType


class Interrupts:
    """The SIGINT handler of a host's main thread.

    Args:
        look: reads what has arrived and says whether what runs now, in the frame that was
            interrupted where that is known, is to be stopped.
    """

    def __init__(self, look: Callable[[FrameType | None], bool]) -> None:
        self._look = look
        self._depth = 0
        self._put_off = False

    def install(self) -> None:
        """Handle SIGINT from now on; main thread only."""
        signal.signal(signal.SIGINT, self._on_signal)

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        self._put_off = True
        if not self._depth:
            self._stop_if_asked(frame)

    def _stop_if_asked(self, frame: FrameType | None) -> None:
        # Again if a signal came while we looked: its message may have come after we read.
        while self._put_off:
            self._put_off = False
            self._depth += 1
            try:
                stop = self._look(frame)
            finally:
                self._depth -= 1
            if stop:
                raise KeyboardInterrupt

    # A context manager: within it, an interrupt waits.

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._depth -= 1
        if not self._depth:
            self._stop_if_asked(None)
