"""How a plugin's process ended, and what it was doing and using then."""

from __future__ import annotations

import enum
from collections.abc import Iterator

from msgspec import Struct

_MIB = 2**20


class EndCause(enum.Enum):
    """Whose doing the end of a process was, as far as that can be told."""

    UNKNOWN = "unknown"
    EXITED = "it exited"
    SIGNAL = "a signal"
    OUT_OF_MEMORY = "out of memory, most likely"
    OVER_LIMIT = "it was over a limit"
    BROKEN_PROTOCOL = "it sent what makes no sense, or nothing any more"
    MANAGER = "the manager ended it"
    NOT_STARTED = "the machine did not let it start"


class RunningCall(Struct, frozen=True):
    """A call that a host was at.

    Attributes:
        operation: its name.
        params: their names, types and sizes, and values that are short.
    """

    operation: str
    params: str = ""

    def __str__(self) -> str:
        return f"{self.operation}({self.params})"


class HostUsage(Struct, frozen=True):
    """What a process had used at its end. None is what nobody knows.

    Attributes:
        lived: seconds from its start.
        processor_time: seconds that it computed.
        peak_memory: bytes, the most that it had in memory at a time, shared pages included.
        threads: how many there were when they were last counted.
    """

    lived: float
    processor_time: float | None = None
    peak_memory: int | None = None
    threads: int | None = None

    def __str__(self) -> str:
        return ", ".join(self._parts())

    def _parts(self) -> Iterator[str]:
        yield f"it lived for {self.lived:.4g} s"
        if self.processor_time is not None:
            yield f"computed for {self.processor_time:.2f} s"
        if self.peak_memory is not None:
            yield f"had up to {self.peak_memory / _MIB:.4g} MiB in memory"
        if self.threads is not None:
            yield f"had {self.threads} threads when last counted"


class ExitReport(Struct, frozen=True):
    """How a plugin's process ended.

    Attributes:
        reason: one sentence, such as "killed by SIGSEGV (segmentation fault)".
        exit_code: its exit code, or None when a signal ended it or nothing is known.
        signal_name: such as `SIGSEGV`, or "".
        stderr_tail: the last lines that it wrote to its error output, a native traceback among
            them.
        cause: whose doing it was.
        calls: what it was running; empty while it was idle.
        native_traceback: where Python was when a fatal signal came, in the plugin's own frames,
            with their lines; "" without one.
        usage: what it had used; None where it had no process of its own.
        limit: at which the kernel ended it, such as `memory`; "" if that is not known.
    """

    reason: str
    exit_code: int | None = None
    signal_name: str = ""
    stderr_tail: tuple[str, ...] = ()
    cause: EndCause = EndCause.UNKNOWN
    calls: tuple[RunningCall, ...] = ()
    native_traceback: str = ""
    usage: HostUsage | None = None
    limit: str = ""

    @property
    def was_running(self) -> str:
        """What it was running, on a line for each call."""
        return "\n".join(map(str, self.calls))

    @property
    def words(self) -> str:
        """The native traceback and the last lines, as text."""
        return "\n".join(part for part in (self.native_traceback, *self.own_words) if part)

    @property
    def own_words(self) -> tuple[str, ...]:
        """The last lines without the native traceback, where that is told apart."""
        if not self.native_traceback:
            return self.stderr_tail
        return tuple(line for line in self.stderr_tail if not _is_of_a_traceback(line))


# As Python's faulthandler writes them.
_OF_A_TRACEBACK = ("Fatal Python error: ", "Stack (most", '  File "', "  ...")


def _is_of_a_traceback(line: str) -> bool:
    return not line.strip() or line.startswith(_OF_A_TRACEBACK)
