"""How a host's process ended, put together from what is known on every side."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from nebula_lab.model.policy import EffectivePolicy, size_in_words
from nebula_lab.reports.exit_report import EndCause, ExitReport, HostUsage, RunningCall
from nebula_lab.sandbox.kernel_process import Used
from nebula_lab.sandbox.source_lines import SourceLines
from nebula_lab.sandbox.stack_text import stacks_from

# Seconds for the zygote to say what a host had used, once it is known how the host ended.
_TELLING = 0.1
_FATAL = "Fatal Python error: "
_FATAL_SIGNALS = frozenset({"SIGSEGV", "SIGFPE", "SIGABRT", "SIGBUS", "SIGILL"})
# What is meant where the system's own words do not say it.
_MEANINGS = {
    signal.SIGKILL: "from outside",
    signal.SIGABRT: "aborted by C code, or by Python itself",
    signal.SIGBUS: "bus error: memory that is not there, such as a file that has become shorter",
    signal.SIGSYS: "a system call that is not allowed",
}
# Of its limit: what is measured at the end is less than what was refused. A kernel that has booted
# has 46 MiB in memory, which the limit comes on top of.
_NEARLY_ALL, _BOOTED = 0.9, 40 * 2**20


@dataclass(frozen=True)
class Killed:
    """Why we ended a host."""

    reason: str
    cause: EndCause


class Ending:
    """What comes to be known of a host's end; made when it is started.

    Attributes:
        killed: why we ended it, if we did.
    """

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._oom_kills = _oom_kills()
        self.killed: Killed | None = None
        self._stops: frozenset[str] = frozenset()
        self._ended = self._started

    def kill(self, reason: str, cause: EndCause = EndCause.MANAGER) -> None:
        """Note why it is about to be ended; the first reason counts."""
        self.killed = self.killed or Killed(reason, cause)

    def note(self) -> None:
        """It has ended now."""
        self._ended = time.monotonic()

    def stopped_at(self, stops: frozenset[str]) -> None:
        """Note at which limits the kernel has stopped it lately; see `Host.new_stops`."""
        self._stops = stops

    def report(
        self,
        status: int | None,
        used: Future[Used | None],
        policy: EffectivePolicy | None,
        threads: int | None,
    ) -> ExitReport:
        """How it ended, as far as the process shows.

        Args:
            status: as `subprocess` writes it; None if nobody knows.
            used: what it used; waited for a moment.
            policy: what held for it.
            threads: how many it had.
        """
        usage = self._usage(used, threads)
        reason, cause = self._cause(status, usage, policy)
        name = _signal_name(-status) if status is not None and status < 0 else ""
        code = status if status is not None and status >= 0 else None
        limit = "memory" if self._is_stopped(status) else ""
        return ExitReport(reason, code, name, cause=cause, usage=usage, limit=limit)

    def _is_stopped(self, status: int | None) -> bool:
        is_killed = status == -signal.SIGKILL and self.killed is None
        return is_killed and "memory" in self._stops

    def _usage(self, used: Future[Used | None], threads: int | None) -> HostUsage:
        known = None
        with contextlib.suppress(FutureTimeoutError):
            known = used.result(_TELLING)
        lived = self._ended - self._started
        if known is None:
            return HostUsage(lived, threads=threads)
        return HostUsage(lived, known.processor_time, known.peak_memory, threads)

    def _cause(
        self, status: int | None, usage: HostUsage, policy: EffectivePolicy | None
    ) -> tuple[str, EndCause]:
        if self.killed is not None:
            return self.killed.reason, self.killed.cause
        if status is None:
            return "ended, and the system does not say how", EndCause.UNKNOWN
        if status >= 0:
            return f"exited with code {status}", EndCause.EXITED
        reason = f"killed by {_signal_name(-status)}{_meaning(-status)}"
        if self._is_stopped(status):
            return f"{reason}: the kernel, for the memory of its group", EndCause.OVER_LIMIT
        shortage = self._shortage(-status, usage, policy)
        if shortage:
            return f"{reason}; most likely out of memory: {shortage}", EndCause.OUT_OF_MEMORY
        return reason, EndCause.SIGNAL

    def _shortage(self, number: int, usage: HostUsage, policy: EffectivePolicy | None) -> str:
        """Why it may have been for want of memory; "" where nothing says so."""
        peak, limit = usage.peak_memory, 0 if policy is None else policy.limits.memory
        if number == signal.SIGKILL and _oom_kills() > self._oom_kills:
            had = "" if peak is None else f", and it had {size_in_words(peak)}"
            return f"the system has ended processes for want of memory meanwhile{had}"
        if peak is not None and limit and peak - _BOOTED >= _NEARLY_ALL * limit:
            return f"it had {size_in_words(peak)}, and may use {size_in_words(limit)}: max_memory"
        return ""


def with_words(
    report: ExitReport,
    said: str,
    tail: tuple[str, ...],
    calls: Iterable[RunningCall],
    sources: Callable[[], SourceLines | None],
) -> ExitReport:
    """A report with what the host said last and what it was running.

    Args:
        report: how it ended.
        said: the end of what it wrote to its error output, and then what its fault handler wrote.
        tail: the last lines of it.
        calls: that it was at.
        sources: gives the plugin's files.
    """
    native = ""
    # A process that it started may have died before it, with the same words.
    if report.signal_name in _FATAL_SIGNALS and _FATAL in said:
        stacks = stacks_from(said[said.rindex(_FATAL) :], sources())
        native = stacks.traceback
    return replace(report, stderr_tail=tail, calls=tuple(calls), native_traceback=native)


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


def _meaning(number: int) -> str:
    with contextlib.suppress(ValueError):
        known = _MEANINGS.get(signal.Signals(number)) or signal.strsignal(number)
        return f" ({known[0].lower()}{known[1:]})" if known else ""
    return ""


def _oom_kills() -> int:
    """How many processes the system has ended for want of memory; 0 where it does not say."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        text = Path("/proc/vmstat").read_text("ascii")
        return int(text.rpartition("\noom_kill ")[2].split(maxsplit=1)[0])
    return 0
