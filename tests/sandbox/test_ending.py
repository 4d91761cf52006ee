"""Whose doing the end of a host was."""

from __future__ import annotations

import signal
from concurrent.futures import Future

import pytest

from nebula_lab.reports.exit_report import EndCause
from nebula_lab.sandbox.ending import Ending
from nebula_lab.sandbox.kernel_process import Used


def report(ending, status, used=None):
    told: Future[Used | None] = Future()
    told.set_result(used)
    return ending.report(status, told, None, 3)


ENDS = [
    (None, "ended, and the system does not say how", EndCause.UNKNOWN),
    (0, "exited with code 0", EndCause.EXITED),
    (-signal.SIGKILL, "killed by SIGKILL (from outside)", EndCause.SIGNAL),
    (-signal.SIGFPE, "killed by SIGFPE (floating point exception)", EndCause.SIGNAL),
    (-signal.SIGRTMIN - 5, "killed by signal 39", EndCause.SIGNAL),
]


@pytest.mark.parametrize(("status", "reason", "cause"), ENDS)
def test_an_end_that_is_none_of_ours_is_named_by_its_status(status, reason, cause):
    ended = report(Ending(), status)
    assert ended.reason.startswith(reason)
    assert ended.cause is cause


def test_the_first_reason_for_which_we_ended_it_counts():
    ending = Ending()
    ending.kill("killed, since it had 99 threads", EndCause.OVER_LIMIT)
    ending.kill("killed by the manager")
    ended = report(ending, -signal.SIGKILL)
    assert (ended.reason, ended.cause) == ("killed, since it had 99 threads", EndCause.OVER_LIMIT)
    assert ended.signal_name == "SIGKILL"


def test_what_it_had_used_is_in_words_too():
    usage = report(Ending(), 0, Used(3 << 20, 1.5)).usage
    assert (usage.peak_memory, usage.processor_time, usage.threads) == (3 << 20, 1.5, 3)
    assert "computed for 1.50 s, had up to 3 MiB in memory, had 3 threads" in str(usage)


def test_a_usage_that_nobody_tells_is_not_waited_for():
    assert Ending().report(0, Future(), None, None).usage.peak_memory is None
