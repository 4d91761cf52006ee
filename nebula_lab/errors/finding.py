"""Errors about what is there: configuration, plugins, their parts, what they need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nebula_lab.plugin.errors import PluginError
from nebula_lab.plugin.nearest import nearest_names


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


class WatcherFailedError(PluginError):
    """The plugin folder can't be watched for changes."""


class MissingLibraryError(PluginError, ImportError):  # type: ignore[misc] # both have a `path`
    """A package that only this needs is not installed; the hint has the command."""


class ManagerClosedError(PluginError):
    """The manager has been closed."""
