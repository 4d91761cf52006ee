"""Looks at the last call of a plugin that failed, by the debugger in its host."""

from __future__ import annotations

import time
from typing import Any

from nebula_lab.errors import (
    ExecutionFailedError,
    NothingToDebugError,
    PluginError,
    PluginTimeoutError,
)
from nebula_lab.plugin.safe_text import ends_kept
from nebula_lab.runtime.hosting import Hosting
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.record import PluginRecord
from nebula_lab.sandbox.base import Host

_TEXT_LIMIT = 100_000  # characters
_UNTIL = "Make the call again; what is kept ends with the next reload, restart or suspension."


def run_debugger(
    record: PluginRecord, hosting: Hosting, command: str, invocation: Invocation
) -> str:
    """Run a debugger's command at the host where a call failed last.

    Args:
        record: the plugin.
        hosting: asks its host.
        command: for the debugger; an empty one begins anew.
        invocation: the call that this is.

    Raises:
        NothingToDebugError: there is no failed call to look at.
        PluginTimeoutError: the command took too long, or its turn did not come.
        PluginError: the host gave no answer.
    """
    try:
        host = record.slots.acquire(invocation, at=_where_it_failed(record))
    except TimeoutError:
        raise PluginTimeoutError(
            f"it was busy for {invocation.timeout:g} s",
            plugin_id=record.id,
            operation=invocation.operation,
            hint="The debugger takes its turn like a call.",
        ) from None
    try:
        record.used(time.monotonic())  # suspended for being idle, it would lose what is looked at
        answer = hosting.ask(host, "debug", command, invocation)
    finally:
        record.slots.release(invocation)
    return _text_of(answer, record)


def _where_it_failed(record: PluginRecord) -> Host:
    if not record.is_up:
        raise _nothing(
            record, f"it is not loaded but {record.state.value}, so no failed call is kept"
        )
    if record.failed_at is None:
        raise _nothing(record, "no call of it has failed since it was loaded")
    host = record.failed_at()
    if host is None or host not in record.slots.hosts:
        raise _nothing(
            record,
            "it has been reloaded or restarted since a call of it failed last, and what was kept "
            "of that call ended with its process",
        )
    return host


def _text_of(answer: Any, record: PluginRecord) -> str:
    """What a host says; it comes out of a sandbox."""
    if isinstance(answer, dict) and isinstance(answer.get("text"), str):
        return ends_kept(answer["text"], _TEXT_LIMIT)
    if isinstance(answer, dict) and isinstance(answer.get("nothing"), str):
        why = answer["nothing"] or "nothing is kept of a failed call"
        raise _nothing(record, ends_kept(why, _TEXT_LIMIT))
    raise ExecutionFailedError(
        "its host said something else than what a debugger shows", plugin_id=record.id
    )


def _nothing(record: PluginRecord, why: str) -> PluginError:
    return NothingToDebugError(why, plugin_id=record.id, hint=_UNTIL)
