"""What a call has in hand while it waits for a place."""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from nebula_lab.errors import PluginError
from nebula_lab.runtime.invocation import Invocation

if TYPE_CHECKING:
    from nebula_lab.sandbox.base import Host

CANCELLED = object()


class Ticket:
    """A call that waits for a place, at one host or any, and the box in which it finds one."""

    __slots__ = ("box", "invocation", "wish")

    def __init__(self, invocation: Invocation, wish: Host | None) -> None:
        self.invocation = invocation
        self.wish = wish
        self.box: SimpleQueue[Any] = SimpleQueue()


def gone(ticket: Ticket) -> PluginError:
    return PluginError(
        "its host is gone",
        plugin_id=ticket.invocation.plugin_id,
        hint="It ended, or has been replaced; try again, at the one that is there now.",
    )


def anew(error: PluginError) -> PluginError:
    """The same error as another object: several threads raise it, each with a traceback."""
    twin = type(error).__new__(type(error), *error.args)
    twin.__dict__.update(error.__dict__)
    return twin
