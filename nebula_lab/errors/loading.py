"""Errors of plugins that do not come up, or not go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nebula_lab.errors.remote import remote_details
from nebula_lab.plugin.errors import PluginError
from nebula_lab.reports.exit_report import ExitReport


class StateTransitionError(PluginError):
    """A step that the plugin's life cycle does not allow from where it is."""


class DependentsLoadedError(PluginError):
    """Other loaded plugins depend on the one that was to be unloaded."""

    def __init__(self, plugin_id: str, dependents: Sequence[str]) -> None:
        super().__init__(
            f"still needed by {', '.join(dependents)}",
            plugin_id=plugin_id,
            hint="Unload them first, or unload all of them together with cascade=True.",
        )
        self.dependents = tuple(dependents)


class LoadFailedError(PluginError):
    """The plugin's code could not be brought up.

    Attributes:
        remote_traceback: the plugin's own traceback as text, without frames of nebula_lab.
        remote_cause: the error of the call to another plugin that made it fail, if one did.
        report: how its process ended, or why it could not be started, where it did not come up
            because of that and not for anything that its code did.
    """

    remote_cause: PluginError | None = None

    def __init__(
        self,
        message: str,
        *,
        remote_traceback: str = "",
        report: ExitReport | None = None,
        **where: Any,
    ) -> None:
        super().__init__(message, **where)
        self.remote_traceback = remote_traceback
        self.report = report

    def details(self) -> str:
        return remote_details(self)


class SymbolNotFoundError(LoadFailedError):
    """The plugin has no `plugin_entry`, or not a callable one."""


class EnvironmentFailedError(LoadFailedError):
    """The Python environment that a plugin asks for can't be built; nothing of it is left.

    Attributes:
        explanation: in the words of the resolver or installer; "" where it was not asked.
    """

    def __init__(self, message: str, *, explanation: str = "", **where: Any) -> None:
        super().__init__(message, **where)
        self.explanation = explanation

    def details(self) -> str:
        return f"\n\n{self.explanation}" if self.explanation else ""
