"""The calls that have come and not begun: each of them begins or is withdrawn, and never both.

A call waits here while another one has the thread that it needs. Nothing of it runs, so to stop it
is to drop it, and what runs meanwhile is left alone.
"""

from __future__ import annotations

from nebula_lab.agent.job import Job
from nebula_lab.wire.messages import Failure


class Unbegun:
    """The jobs of such calls. No locks: a signal's handler may come between any two steps."""

    def __init__(self) -> None:
        # Whoever takes a job out of here, which only one can, decides what becomes of it.
        self._jobs: dict[int, Job] = {}
        self._withdrawn: dict[int, Job] = {}

    def add(self, job: Job) -> None:
        self._jobs[job.call] = job

    def begin(self, job: Job) -> bool:
        """Whether a call may begin, and so has begun; any thread."""
        job.begun = self._jobs.pop(job.call, None) is not None
        return job.begun

    def withdraw(self, job: Job) -> None:
        """See to it that a call does not begin, unless it has; any thread."""
        if self._jobs.pop(job.call, None) is not None:
            job.is_noted = True  # there is no stack of it to be looked at
            self._withdrawn[job.call] = job

    def untold(self) -> list[Job]:
        """Those that were withdrawn and whose callers have not been told.

        Whoever tells says so by `told`. One that two threads tell is told twice, and the manager
        takes no second answer.
        """
        return list(self._withdrawn.values())

    def told(self, job: Job) -> None:
        job.told = True
        self._withdrawn.pop(job.call, None)


def withdrawal(job: Job) -> Failure:
    """The answer to a call that was withdrawn before it began."""
    return Failure(job.call, "withdrawn", "", "withdrawn before it began", "")
