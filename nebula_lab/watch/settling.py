"""When a change has come to its end: a save is several steps, and a checkout hundreds of them."""

from __future__ import annotations

from nebula_lab.watch.events import FolderEvent, Kind

__all__ = ["Settling", "QUIET", "QUIET_OF_SEVERAL", "LONGEST"]

# Seconds without an event after which one file that was closed, or moved into its place, is taken
# as saved. The steps of one save come within 2 ms (vim, PyCharm, JupyterLab).
QUIET = 0.010
# The same where several files change, or one goes: a checkout of 500 files has pauses of 20 ms on
# a busy machine, and who deletes a file may be about to write it anew.
QUIET_OF_SEVERAL = 0.050
# Seconds from the first event after which nobody waits any longer, neither for quiet nor for a
# file to be closed: whoever writes all the time must not put a reload off for ever.
LONGEST = 1.0


class Settling:
    """The change of one plugin, or of what plugins there are, while it goes on.

    It has no clock: times are by `time.monotonic`, and come with the events.

    Attributes:
        first: when it began.
        paths: what has changed so far.
    """

    __slots__ = ("_last", "_open", "_since", "_went", "first", "paths")

    def __init__(self, at: float) -> None:
        self.first = self._last = self._since = at
        self.paths: set[str] = set()
        self._open: set[str] = set()
        self._went: set[str] = set()

    def add(self, event: FolderEvent) -> None:
        """Take in what happened to a file."""
        path = event.path
        self._last = max(self._last, event.at)
        self.paths.add(path)
        self._open.discard(path)
        self._went.discard(path)
        if event.kind is Kind.WRITING:
            self._open.add(path)
        elif event.kind is Kind.WENT:
            self._went.add(path)

    @property
    def is_several(self) -> bool:
        """Whether it is more than the save of one file."""
        return len(self.paths) > 1 or bool(self._went)

    @property
    def due(self) -> float:
        """When to look at the files, if nothing else happens until then."""
        bound = self._since + LONGEST
        if self._open:
            return bound
        return min(bound, self._last + (QUIET_OF_SEVERAL if self.is_several else QUIET))

    def put_off(self, now: float) -> None:
        """Go on, since somebody is known to be in the middle of it."""
        self._last = self._since = now

    def follow(self, former: Settling) -> bool:
        """Be the continuation of an earlier change; False where that has lasted long enough."""
        if self._last >= former._since + LONGEST:
            return False
        self.first, self._since = former.first, former._since
        self.paths |= former.paths
        return True
