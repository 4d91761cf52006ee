"""Turns what a host says of a failure into the error that the caller gets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from nebula_lab.errors import (
    ExecutionFailedError,
    LimitExceededError,
    LoadFailedError,
    PluginCrashedError,
    PluginError,
    PluginTimeoutError,
    StoreError,
    SymbolNotFoundError,
    UnsupportedValueError,
)
from nebula_lab.model.policy import EffectivePolicy
from nebula_lab.plugin.safe_text import ends_kept
from nebula_lab.reports.exit_report import EndCause, ExitReport
from nebula_lab.runtime.breaches import breach_of, lack_of
from nebula_lab.wire.errors import LibraryMissingError
from nebula_lab.wire.messages import Failure

# Characters. A host may send 64 MB of each, and errors are kept, in a plugin's record for one.
_NAME_LIMIT = 200
_MESSAGE_LIMIT = 10_000
_TRACEBACK_LIMIT = 20_000


def error_from(
    failure: Failure,
    plugin_id: str,
    operation: str,
    policy: EffectivePolicy | None,
    cause: PluginError | None = None,
) -> PluginError:
    """The error for a call that failed.

    Args:
        failure: what the host says.
        plugin_id: the plugin.
        operation: that was called.
        policy: what the plugin may do, to say where that may be the reason.
        cause: the error of a call to another plugin that made this one fail.
    """
    error = _error_from(failure, plugin_id, operation, policy)
    if isinstance(error, ExecutionFailedError):
        error.remote_cause = cause
    return error


def _error_from(
    failure: Failure, plugin_id: str, operation: str, policy: EffectivePolicy | None
) -> PluginError:
    if failure.kind == "unsupported_value":
        element = failure.element[:_MESSAGE_LIMIT]
        found = failure.message.removeprefix(f"{failure.element}: ")
        error = UnsupportedValueError(element, ends_kept(found, _MESSAGE_LIMIT))
        error.plugin_id = plugin_id
        return error
    failed: dict[str, Any] = {
        "message": ends_kept(_said(failure), _MESSAGE_LIMIT),
        "plugin_id": plugin_id,
        "operation": operation,
        "error_type": failure.error_type[:_NAME_LIMIT],
        "remote_traceback": ends_kept(failure.traceback, _TRACEBACK_LIMIT),
    }
    breach = None if policy is None else breach_of(failure.obstacle, policy)
    if breach is not None:
        failed["message"] += f" ({breach.said})"
        return LimitExceededError(
            limit=breach.limit, value=breach.value, hint=breach.cure, **failed
        )
    hint = None if policy is None else lack_of(failure.obstacle, policy)
    return ExecutionFailedError(**failed, hint=hint)


def error_from_end(
    report: ExitReport, plugin_id: str, operation: str, policy: EffectivePolicy | None
) -> ExecutionFailedError:
    """The error for a call whose host has ended; the arguments are as in `error_from`."""
    breach = None if policy is None else breach_of(report.limit, policy)
    if breach is None:
        return PluginCrashedError(plugin_id=plugin_id, operation=operation, report=report)
    return LimitExceededError(
        limit=breach.limit,
        value=breach.value,
        message=f"crashed: {report.reason} ({breach.said})",
        plugin_id=plugin_id,
        operation=operation,
        remote_traceback=report.words,
        hint=breach.cure,
    )


def untaken_error_from(error: Exception, plugin_id: str, operation: str) -> PluginError:
    """The error for a call whose result is right, and can't be had here for another error."""
    if isinstance(error, LibraryMissingError):
        unsupported = UnsupportedValueError(error.element, error.found)
        unsupported.plugin_id = plugin_id
        return unsupported
    return ExecutionFailedError(
        f"its result could not be taken: {error or 'no memory'}",
        plugin_id=plugin_id,
        operation=operation,
        hint="Return less at once, as a stream of smaller arrays.",
    )


# A fork that the kernel refuses is one of several things that fail like this.
_OF_FORKS = frozenset({"BlockingIOError"})


def obstacle_among(stops: frozenset[str], failure: Failure) -> str:
    """What a call ran into that its failure does not tell, by what the kernel did meanwhile."""
    if "memory" in stops:
        return "memory"  # a process of the plugin's was killed, and it failed over that
    return "threads" if "threads" in stops and failure.error_type in _OF_FORKS else ""


# A load is the import of the source, and `initialize`: which of them it was, its place says.
_WHO = {"load": "its source or its initialize"}


def load_error_from(error: PluginError, plugin_id: str) -> LoadFailedError:
    """The error for a plugin that did not come up, from the one that its loading gave."""
    if isinstance(error, LoadFailedError):
        return error
    if isinstance(error, PluginTimeoutError):
        return LoadFailedError(
            f"{_WHO.get(error.operation or '', f'its {error.operation}')} gave {error.message}",
            plugin_id=plugin_id,
            remote_traceback=error.remote_traceback,
            hint=error.hint,
        )
    if isinstance(error, ExecutionFailedError):
        kind = _LOAD_ERRORS.get(error.error_type, LoadFailedError)
        failed = kind(
            error.message,
            plugin_id=plugin_id,
            remote_traceback=error.remote_traceback,
            report=report_of(error),
            hint=error.hint,
        )
        failed.remote_cause = error.remote_cause
        return failed
    # The machine's fault, and not for ever: a disk that is full may have room again soon.
    is_passing = isinstance(error, StoreError)
    return LoadFailedError(
        error.message,
        plugin_id=plugin_id,
        path=error.path,
        hint=error.hint,
        report=_not_started(error) if is_passing else None,
    )


def hint_for_cell(remote_traceback: str, source: Path) -> str | None:
    """What to do about a cell of a notebook that does not run in a plugin; None where none is.

    People try their plugin out in the notebook that it is in, and such a cell fails here.
    """
    if source.suffix != ".ipynb":
        return None
    place = rf'{re.escape(source.name)}\[cell ([0-9]{{1,6}})\]", line [0-9]+(?:, in <module>)?$'
    found = re.search(place, remote_traceback, re.MULTILINE)
    return found and f"If cell {found[1]} is no part of the plugin, tag it nebula-skip."


def _not_started(error: PluginError) -> ExitReport:
    return ExitReport(f"not started: {error.message}", cause=EndCause.NOT_STARTED)


def report_of(error: PluginError) -> ExitReport | None:
    """How the process ended that an error is about, or why there was none; else None."""
    return error.report if isinstance(error, PluginCrashedError | LoadFailedError) else None


_LOAD_ERRORS: dict[str, type[LoadFailedError]] = {"MissingEntryError": SymbolNotFoundError}


def _said(failure: Failure) -> str:
    """The plugin's exception in one line; its text alone where the text was written by us."""
    if failure.kind != "raised" or not failure.error_type:
        return failure.message
    if failure.message in ("", failure.error_type):
        return failure.error_type
    return f"{failure.error_type}: {failure.message}"
