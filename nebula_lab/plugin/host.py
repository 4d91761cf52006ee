"""What a plugin may ask of the host that runs it."""

from __future__ import annotations

import abc
from contextvars import ContextVar

from nebula_lab.plugin.errors import PluginError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

# Set by the agent around each operation, so that two plugins in one process keep apart.
current_context: ContextVar[Context] = ContextVar("nebula_lab_plugin_context")


class Context(abc.ABC):
    """A running plugin's line to its host; the agent supplies the real one."""

    @property
    @abc.abstractmethod
    def plugin_id(self) -> str:
        """The id under which the manager knows the plugin."""

    @property
    @abc.abstractmethod
    def config(self) -> dict[str, Any]:
        """What `initialize` was given."""

    @property
    @abc.abstractmethod
    def scratch_dir(self) -> Path:
        """A folder of the plugin's own that lives as long as its host."""

    @abc.abstractmethod
    def call(
        self,
        plugin_id: str,
        operation: str,
        params: dict[str, Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> Any:
        """Run an operation of another plugin and return its result.

        Args:
            plugin_id: one of the dependencies that the manifest declares.
            operation: its operation.
            params: JSON values, bytes and datetimes by name.
            timeout: seconds; None takes what the running call has left.

        Raises:
            PluginError: it is not a declared dependency, the call would come back to a plugin
                that waits for it, or the operation failed.
        """

    @abc.abstractmethod
    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        """Show how far the running operation is; `total` None means that nobody knows."""

    @abc.abstractmethod
    def log(self, message: str, level: str = "info") -> None:
        """Write a line to the plugin's log; levels are those of `logging`, in lower case."""


class RunningContext(Context):
    """The context of whichever plugin runs here; what `nebula_lab.plugin.context` is.

    It serves resources that do not derive from `Plugin` and code that an operation calls. A
    thread that the plugin started sees no operation: it gets the process's own context, which
    a host of one plugin sets.
    """

    def __init__(self) -> None:
        self._of_process: Context | None = None

    def serve_process(self, context: Context | None) -> None:
        """Name the context to use outside an operation; the agent's business, not a plugin's."""
        self._of_process = context

    @property
    def _running(self) -> Context:
        found = current_context.get(None) or self._of_process
        if found is None:
            raise PluginError(
                "no plugin is running here, so there is no context",
                hint="Use the context inside initialize, an operation, health_check or cleanup "
                "of a plugin that a manager has loaded.",
            )
        return found

    @property
    def plugin_id(self) -> str:
        return self._running.plugin_id

    @property
    def config(self) -> dict[str, Any]:
        return self._running.config

    @property
    def scratch_dir(self) -> Path:
        return self._running.scratch_dir

    def call(
        self,
        plugin_id: str,
        operation: str,
        params: dict[str, Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> Any:
        return self._running.call(plugin_id, operation, params, timeout=timeout)

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        self._running.progress(done, total, text)

    def log(self, message: str, level: str = "info") -> None:
        self._running.log(message, level)


context = RunningContext()
