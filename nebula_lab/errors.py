"""Every error of nebula_lab, in one tree.

    PluginError                     (nebula_lab.plugin.errors, for authors too)
    ├── ConfigError                 a configuration document that does not say what it means
    ├── DiscoveryError              a place to look for plugins that can't be looked at
    ├── MetadataLoadError           a plugin whose description can't be read
    ├── InvalidVersionError         also a ValueError
    ├── InvalidRequirementError     also a ValueError
    ├── VersionConflictError        two versions of one plugin, or one that a dependent refuses
    │   └── NoVersionFitsError      no choice of versions with which everything fits
    ├── ChoosingTimeoutError        choosing versions took too long; also a TimeoutError
    ├── LockError                   a lock file that can't be read or written
    │   └── LockMismatchError       plugins that are not as they were locked
    ├── DependencyError             a dependency that is missing, unsuitable or broken
    │   └── DependencyCycleError
    ├── NotFoundError               no such plugin
    │   ├── OperationNotFoundError
    │   └── VersionNotFoundError    no such version of it to go back to
    ├── NothingToDebugError         no failed call is kept that a debugger could look at
    ├── StateTransitionError        a step that the life cycle does not have
    ├── DependentsLoadedError       unloading would pull the floor from under others
    ├── LoadFailedError             the plugin's own code did not come up
    │   ├── SymbolNotFoundError     no `plugin_entry` in it
    │   └── EnvironmentFailedError  the Python environment that it asks for can't be had
    ├── InvalidParamsError          params that do not fit the operation's schema; also a ValueError
    ├── UnsupportedValueError       a value that does not cross a sandbox; also a TypeError
    ├── ExecutionFailedError        the operation raised
    │   ├── PluginTimeoutError      also a TimeoutError
    │   ├── LimitExceededError      the plugin wanted more than it may use
    │   ├── PluginCrashedError
    │   ├── CallCycleError          a call between plugins that came back round
    │   ├── QueueFullError
    │   └── CallCancelledError
    ├── StoreError                  a plugin's files that can't be kept, or be had back intact
    │   └── UnfinishedChangeError   a change that has happened, and is not in its place yet
    ├── SignatureError              a signature that does not vouch for what it should
    │   └── SshKeyError             a private key or an agent that can't sign
    ├── RegistryError               a registry that can't be asked, or answers what is no use
    │   ├── RegistryDownError       it does not answer, or not in time
    │   ├── RegistryRefusedError    it wants another secret, or none that there is
    │   ├── RegistryAnswerError     it answers what no registry should
    │   ├── ArchiveError            files that are not what was promised, or are a trap
    │   ├── RegistryTrustError      it says what nobody vouches for, or takes back its word
    │   └── PublishingError         it does not take a version, or a change
    ├── InstallError                a plugin that was not installed; what was there is as it was
    │   ├── EditedFilesError        somebody has changed the files that would be replaced
    │   ├── NeededByOthersError     others need what would be removed
    │   └── UnfinishedInstallError  it has been decided, and not every file is in its place yet
    ├── ContainerRuntimeError       a program that runs containers, and does not
    │   └── ImageError              what containers are made of can't be had
    ├── WatcherFailedError
    ├── MissingLibraryError         a package that only this needs is not here; also an ImportError
    └── ManagerClosedError

Errors carry the objects that they speak of and build their text from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from nebula_lab.container_errors import ContainerRuntimeError, ImageError
from nebula_lab.plugin.errors import PluginError
from nebula_lab.plugin.nearest import nearest_names
from nebula_lab.registry_errors import (
    ArchiveError,
    EditedFilesError,
    InstallError,
    NeededByOthersError,
    PublishingError,
    RegistryAnswerError,
    RegistryDownError,
    RegistryError,
    RegistryRefusedError,
    RegistryTrustError,
    UnfinishedInstallError,
)
from nebula_lab.reports.exit_report import ExitReport
from nebula_lab.reports.stacks import HostStacks
from nebula_lab.version_errors import (
    ChoosingTimeoutError,
    InvalidRequirementError,
    InvalidVersionError,
    LockError,
    LockMismatchError,
    NoVersionFitsError,
    VersionConflictError,
)

__all__ = [
    "PluginError",
    "ConfigError",
    "DiscoveryError",
    "MetadataLoadError",
    "InvalidVersionError",
    "InvalidRequirementError",
    "VersionConflictError",
    "NoVersionFitsError",
    "ChoosingTimeoutError",
    "LockError",
    "LockMismatchError",
    "DependencyError",
    "DependencyCycleError",
    "NotFoundError",
    "OperationNotFoundError",
    "VersionNotFoundError",
    "NothingToDebugError",
    "StateTransitionError",
    "DependentsLoadedError",
    "LoadFailedError",
    "SymbolNotFoundError",
    "EnvironmentFailedError",
    "InvalidParamsError",
    "UnsupportedValueError",
    "ExecutionFailedError",
    "PluginTimeoutError",
    "LimitExceededError",
    "PluginCrashedError",
    "CallCycleError",
    "QueueFullError",
    "CallCancelledError",
    "StoreError",
    "UnfinishedChangeError",
    "SignatureError",
    "SshKeyError",
    "RegistryError",
    "RegistryDownError",
    "RegistryRefusedError",
    "RegistryAnswerError",
    "ArchiveError",
    "RegistryTrustError",
    "PublishingError",
    "InstallError",
    "EditedFilesError",
    "ContainerRuntimeError",
    "ImageError",
    "NeededByOthersError",
    "UnfinishedInstallError",
    "WatcherFailedError",
    "MissingLibraryError",
    "ManagerClosedError",
    "ExitReport",
    "nearest_names",
    "remote_tracebacks",
]


class ConfigError(PluginError):
    """A configuration document that can't be read, or says something that has no meaning."""


class DiscoveryError(PluginError):
    """A folder, manifest or registry that can't be searched for plugins."""


class MetadataLoadError(PluginError):
    """A plugin whose metadata is absent, malformed or contradictory."""


class DependencyError(PluginError):
    """A dependency that is missing, does not suit, or could not be loaded."""


class DependencyCycleError(DependencyError):
    """Plugins that depend on each other in a circle.

    Attributes:
        cycle: ids along one shortest closed path; the first is repeated at the end.
    """

    def __init__(self, message: str, *, cycle: Sequence[str], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.cycle = tuple(cycle)


class NotFoundError(PluginError):
    """No plugin has that id."""

    def __init__(
        self, plugin_id: str, *, known: Iterable[str] = (), hint: str | None = None
    ) -> None:
        self.nearest = nearest_names(plugin_id, known)
        if hint is None and self.nearest:
            hint = f"Did you mean {' or '.join(self.nearest)}?"
        super().__init__(f"no plugin has the id {plugin_id!r}", hint=hint)
        self.plugin_id = plugin_id

    def headline(self) -> str:
        return self._with_hint(self.message)


class OperationNotFoundError(NotFoundError):
    """The plugin is there, the operation is not."""

    def __init__(self, plugin_id: str, operation: str, *, known: Iterable[str]) -> None:
        known = sorted(known)
        self.nearest = nearest_names(operation, known) or known[:5]
        self.operation = operation
        listed = ", ".join(self.nearest) or "none"
        PluginError.__init__(
            self,
            f"has no operation {operation!r}",
            plugin_id=plugin_id,
            hint=f"Nearest operations: {listed}.",
        )

    def headline(self) -> str:
        return PluginError.headline(self)


class VersionNotFoundError(NotFoundError):
    """The plugin is there, the version to go back to is not."""

    def __init__(self, plugin_id: str, message: str, *, hint: str) -> None:
        self.nearest = []
        PluginError.__init__(self, message, plugin_id=plugin_id, hint=hint)

    def headline(self) -> str:
        return PluginError.headline(self)


class NothingToDebugError(PluginError):
    """No failed call of the plugin is kept for a debugger to look at."""


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
        return _remote_details(self)


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
        return _remote_details(self)


def remote_tracebacks(error: PluginError) -> list[tuple[str, str]]:
    """Who raised, such as `counter.add`, and its own traceback: of the plugin that was called,
    then of the one whose call made it fail, and so on."""
    found = []
    one: PluginError | None = error
    while one is not None:
        operation = getattr(one, "operation", "")
        name = f"{one.plugin_id}.{operation}" if operation else str(one.plugin_id)
        if text := getattr(one, "remote_traceback", ""):
            found.append((name, text))
        one = getattr(one, "remote_cause", None)
    return found


def _remote_details(error: PluginError) -> str:
    texts = remote_tracebacks(error)
    if len(texts) == 1:
        return f"\n\n{texts[0][1]}"
    return "".join(f"\n\nIn {name}:\n{text}" for name, text in texts)


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


class StoreError(PluginError):
    """Files of a plugin that can't be put into the content store, or be had from it intact."""


class UnfinishedChangeError(StoreError):
    """A change of several files that has been decided, and that could not be carried out yet.

    Whoever changes the same folder next carries it out first.
    """


class SignatureError(PluginError):
    """A plugin is not signed as the configuration asks, or its signature can't be made or read.

    Attributes:
        report: the `SignatureReport` (nebula_lab.trust) where there is one.
    """

    def __init__(self, message: str, *, report: object = None, **where: Any) -> None:
        super().__init__(message, **where)
        self.report = report


class SshKeyError(SignatureError):
    """A private key, or an agent that holds one, that can't be used to sign."""


class WatcherFailedError(PluginError):
    """The plugin folder can't be watched for changes."""


class MissingLibraryError(PluginError, ImportError):  # type: ignore[misc] # both have a `path`
    """A package that only this needs is not installed; the hint has the command."""


class ManagerClosedError(PluginError):
    """The manager has been closed."""
