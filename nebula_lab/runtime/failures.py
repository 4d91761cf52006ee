"""Turns what a host says of a failure into the error that the caller gets."""

from __future__ import annotations

from nebula_lab.errors import (
    ExecutionFailedError,
    LoadFailedError,
    PluginError,
    PluginTimeoutError,
    SymbolNotFoundError,
    UnsupportedValueError,
)
from nebula_lab.wire.messages import Failure


def error_from(failure: Failure, plugin_id: str, operation: str) -> PluginError:
    """The error for a call that failed."""
    if failure.kind == "unsupported_value":
        error = UnsupportedValueError(
            failure.element, failure.message.removeprefix(f"{failure.element}: ")
        )
        error.plugin_id = plugin_id
        return error
    return ExecutionFailedError(
        _said(failure),
        plugin_id=plugin_id,
        operation=operation,
        error_type=failure.error_type,
        remote_traceback=failure.traceback,
    )


def load_error_from(error: PluginError, plugin_id: str) -> LoadFailedError:
    """The error for a plugin that did not come up, from the one that its loading gave."""
    if isinstance(error, LoadFailedError):
        return error
    if isinstance(error, PluginTimeoutError):
        return LoadFailedError(
            f"its {error.operation} gave {error.message}",
            plugin_id=plugin_id,
            remote_traceback=error.remote_traceback,
            hint=error.hint,
        )
    if isinstance(error, ExecutionFailedError):
        kind = _LOAD_ERRORS.get(error.error_type, LoadFailedError)
        return kind(error.message, plugin_id=plugin_id, remote_traceback=error.remote_traceback)
    return LoadFailedError(error.message, plugin_id=plugin_id, hint=error.hint)


_LOAD_ERRORS: dict[str, type[LoadFailedError]] = {"MissingEntryError": SymbolNotFoundError}


def _said(failure: Failure) -> str:
    """The plugin's exception in one line; its text alone where the text was written by us."""
    if failure.kind != "raised" or not failure.error_type:
        return failure.message
    if failure.message in ("", failure.error_type):
        return failure.error_type
    return f"{failure.error_type}: {failure.message}"
