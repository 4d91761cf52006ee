"""What becomes of a process that the plugin forks, such as one of a pool's workers.

It has a copy of everything, the channel's socket among it. Two processes that read and write one
stream would tear it apart, so the copy lets go of it.
"""

from __future__ import annotations

import logging
import os
import signal
import sys

from nebula_lab.agent.job import current_job
from nebula_lab.agent.server import Server
from nebula_lab.agent.streams import JobLogHandler


def disown_in_forks(server: Server) -> None:
    """See to it that forked processes leave the channel alone."""

    def disown() -> None:
        server.channel.end("a process that the plugin forked has no channel to the manager")
        server.executing = [0]  # the memory is shared with the host, for which this does not speak
        signal.signal(signal.SIGINT, signal.default_int_handler)
        current_job.set(None)
        # What it prints goes the way of any other child's: to the pipe behind the descriptors.
        sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
        root = logging.getLogger()
        for handler in [known for known in root.handlers if isinstance(known, JobLogHandler)]:
            root.removeHandler(handler)

    os.register_at_fork(after_in_child=disown)
