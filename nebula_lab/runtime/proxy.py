"""`plugins["counter"].add(n=2)`: a plugin's operations as methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nebula_lab.errors import OperationNotFoundError, PluginError
from nebula_lab.runtime.operation import Operation


class PluginProxy:
    """A plugin whose operations can be called by name, with completion and help.

    Args:
        plugin_id: the plugin.
        execute: as `PluginManager.execute`.
        operations: as `PluginManager.operations`.
    """

    def __init__(
        self,
        plugin_id: str,
        execute: Callable[..., Any],
        operations: Callable[..., Mapping[str, Operation]],
    ) -> None:
        self._plugin_id = plugin_id
        self._execute = execute
        self._operations = operations

    def __getattr__(self, name: str) -> Callable[..., Any]:
        # Python and Jupyter ask objects for many names of this kind; none is an operation.
        if name.startswith(("__", "_repr_", "_ipython_")):
            raise AttributeError(name)
        operations = self._operations(self._plugin_id)
        operation = operations.get(name)
        if operation is None and operations:
            raise _NoSuchOperationError(self._plugin_id, name, known=operations)
        return self._method(name, operation)

    def _method(self, name: str, operation: Operation | None) -> Callable[..., Any]:
        def call(**params: Any) -> Any:
            return self._execute(self._plugin_id, name, params)

        call.__name__ = name
        call.__qualname__ = f"{self._plugin_id}.{name}"
        if operation is not None:
            call.__doc__ = operation.description
            call.__signature__ = operation.python_signature()  # type: ignore[attr-defined]
        return call

    def __dir__(self) -> list[str]:
        try:
            return sorted(self._operations(self._plugin_id))
        except PluginError:
            return []  # it does not come up; whoever calls it is told why

    def __repr__(self) -> str:
        return f"<plugin {self._plugin_id}>"


class _NoSuchOperationError(OperationNotFoundError, AttributeError):
    """So that `hasattr` and `getattr` with a default work as they do elsewhere."""
