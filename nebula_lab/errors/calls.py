"""Errors of calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nebula_lab.errors.remote import remote_details
from nebula_lab.plugin.errors import PluginError
from nebula_lab.reports.exit_report import ExitReport
from nebula_lab.reports.stacks import HostStacks


class InvalidParamsError(PluginError, ValueError):
    """Params that do not fit an operation's schema; nothing was sent.

    Attributes:
        element: path to the element, such as `params.rows[3].name`.
        expected: what the schema asks for there.
    """

    def __init__(
        self, *, plugin_id: str, operation: str, element: str, expected: str, found: str
    ) -> None:
        super().__init__(
            f"{operation}: {element}: expected {expected}, found {found}", plugin_id=plugin_id
        )
        self.operation = operation
        self.element = element
        self.expected = expected
        self.found = found


class UnsupportedValueError(PluginError, TypeError):
    """A value that is neither JSON, bytes, a datetime, an array nor a table.

    Attributes:
        element: path to the element, such as `params.rows[3].when`.
    """

    def __init__(self, element: str, found: str) -> None:
        super().__init__(
            f"{element}: {found}",
            hint="JSON values, bytes, datetimes, numpy arrays and tables of pandas, polars and "
            "Arrow can be passed to and from a plugin.",
        )
        self.element = element
        self.found = found


class ExecutionFailedError(PluginError):
    """An operation did not give a result.

    Attributes:
        operation: its name.
        error_type: the name of the exception class that the plugin raised, or "".
        remote_traceback: the plugin's own traceback as text, without frames of nebula_lab.
        remote_cause: the error of the call to another plugin that made it fail, if one did.
    """

    remote_cause: PluginError | None = None

    def __init__(
        self,
        message: str,
        *,
        plugin_id: str,
        operation: str = "",
        error_type: str = "",
        remote_traceback: str = "",
        hint: str | None = None,
    ) -> None:
        super().__init__(message, plugin_id=plugin_id, hint=hint)
        self.operation = operation
        self.error_type = error_type
        self.remote_traceback = remote_traceback

    def headline(self) -> str:
        name = f"{self.plugin_id}.{self.operation}" if self.operation else self.plugin_id
        return self._with_hint(f"{name}: {self.message}")

    def details(self) -> str:
        return remote_details(self)


class _StoppedError(ExecutionFailedError):
    """A call that was stopped before its end.

    Attributes:
        stacks: what every thread of the plugin was at when it was to stop; None where it was not
            running yet, or not any more.
    """

    def __init__(self, message: str, *, stacks: HostStacks | None = None, **failed: Any) -> None:
        super().__init__(message, **failed)
        self.stacks = stacks

    def details(self) -> str:
        beside = "" if self.stacks is None else self.stacks.beside
        return super().details() + (f"\n\n{beside}" if beside else "")


class PluginTimeoutError(_StoppedError, TimeoutError):
    """The deadline passed before the operation answered."""


class LimitExceededError(ExecutionFailedError):
    """The operation failed because the plugin wanted more than it may use.

    Attributes:
        limit: the setting, such as `max_memory`.
        value: what it is, in words.
    """

    def __init__(self, *, limit: str, value: str, **failed: Any) -> None:
        super().__init__(**failed)
        self.limit = limit
        self.value = value


class PluginCrashedError(ExecutionFailedError):
    """The plugin's host ended, or stopped making sense, while the call ran.

    Attributes:
        report: how it ended, what it was running and what it had used.
    """

    def __init__(self, *, plugin_id: str, operation: str = "", report: ExitReport) -> None:
        super().__init__(f"crashed: {report.reason}", plugin_id=plugin_id, operation=operation)
        self.report = report

    def details(self) -> str:
        report, text = self.report, super().details()
        parts = {
            "it was running": report.was_running,
            "where it was, by Python's fault handler": report.native_traceback,
            "last words on stderr": "\n".join(report.own_words),
            "what it had used": "" if report.usage is None else str(report.usage),
        }
        for heading, part in parts.items():
            if part:
                text += f"\n  {heading}:\n" + "\n".join(f"    {one}" for one in part.split("\n"))
        return text


class CallCycleError(ExecutionFailedError):
    """A call between plugins came back to one that waits for it.

    Attributes:
        chain: `plugin.operation` of each call, outermost first.
    """

    def __init__(self, *, plugin_id: str, operation: str, chain: Sequence[str]) -> None:
        super().__init__(
            f"the call would wait for itself: {' → '.join(chain)}",
            plugin_id=plugin_id,
            operation=operation,
        )
        self.chain = tuple(chain)


class QueueFullError(ExecutionFailedError):
    """Too many calls wait for this plugin already."""


class CallCancelledError(_StoppedError):
    """The caller withdrew the call."""
