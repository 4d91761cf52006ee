"""The errors of calls that were stopped, with the place where the plugin was."""

from __future__ import annotations

from nebula_lab.errors import CallCancelledError, PluginTimeoutError
from nebula_lab.plugin.safe_text import ends_kept
from nebula_lab.reports.stacks import HostStacks
from nebula_lab.runtime.invocation import Invocation

_TRACEBACK_LIMIT = 20_000  # characters


def too_late(
    call: Invocation,
    traceback: str = "",
    stacks: HostStacks | None = None,
    *,
    hint: str | None = None,
) -> PluginTimeoutError:
    """The error of a call whose deadline passed.

    Args:
        call: it.
        traceback: of the exception that the interrupt raised in the plugin; "" without one.
        stacks: what the plugin was at.
        hint: what became of it.
    """
    return PluginTimeoutError(
        f"no answer within {call.timeout:g} s",
        plugin_id=call.plugin_id,
        operation=call.operation,
        remote_traceback=ends_kept(traceback, _TRACEBACK_LIMIT) or _traceback(stacks),
        stacks=stacks,
        hint=_and_place(hint, stacks),
    )


def withdrawn(
    call: Invocation, stacks: HostStacks | None = None, *, hint: str | None = None
) -> CallCancelledError:
    """The error of a call that nobody wanted any more."""
    return CallCancelledError(
        call.reason,
        plugin_id=call.plugin_id,
        operation=call.operation,
        remote_traceback=_traceback(stacks),
        stacks=stacks,
        hint=_and_place(hint, stacks),
    )


def with_place(interrupt: BaseException, call: Invocation, stacks: HostStacks | None) -> None:
    """Note with an interrupt of the caller's where the plugin was."""
    if stacks is not None and stacks.where:
        interrupt.add_note(f"{call.label} was at {stacks.where}")


def _traceback(stacks: HostStacks | None) -> str:
    return "" if stacks is None else stacks.traceback


def _and_place(hint: str | None, stacks: HostStacks | None) -> str | None:
    if stacks is None or not stacks.where:
        return hint
    return " ".join(part for part in (hint, f"It was at {stacks.where}") if part)
