"""Which call to blame where one has not ended when it was told to.

A host may have several: some run, some wait for others of their own accord, some have not begun,
since another one has the thread that they need. To end the host ends them all, so that it is done
only for one that would not stop otherwise.
"""

from __future__ import annotations

import time

from nebula_lab.sandbox.base import Host
from nebula_lab.transport.call_link import PendingCall


def is_culprit(host: Host, call: PendingCall, grace: float) -> bool:
    """Whether to end `host` is what it takes to end a call.

    Where nothing is known, it is the one that was sent first.

    Args:
        host: where it is.
        call: was to be stopped `grace` seconds ago.
        grace: seconds that a call has to stop.
    """
    if call.told_at is not None:
        # One that was told late, since another had the thread, is to have its time too.
        return time.monotonic() - call.told_at > grace / 2
    if host.executing() == call.number:
        return True
    return ahead_of(host, call) is None and host.link.is_first(call)


def ahead_of(host: Host, call: PendingCall) -> PendingCall | None:
    """Another call that the host's main thread runs now, as far as is known."""
    other = host.link.pending(host.executing())
    return None if other is None or other is call or other.answered else other


def waited_behind(host: Host, call: PendingCall) -> str:
    """What became of a call that has not come to its turn, for the error that its caller gets."""
    other = ahead_of(host, call)
    running = None if other is None else other.described()
    what = "another call" if running is None else running.operation
    return f"It had not come to its turn, since {what} was running, and was withdrawn."
