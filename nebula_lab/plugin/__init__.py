"""What a plugin author imports: the standard library only, and as little of it as can be.

It runs inside every sandbox, and `import nebula_lab.plugin` is paid by every plugin: names that
need `inspect`, `typing` or `dataclasses` come when they are first asked for.
"""

from __future__ import annotations

from nebula_lab.plugin.bounds import Bounds
from nebula_lab.plugin.errors import PluginError
from nebula_lab.plugin.health import HealthState, HealthStatus
from nebula_lab.plugin.host import Context, context, current_context
from nebula_lab.plugin.operations import operation
from nebula_lab.plugin.plugin import Plugin
from nebula_lab.plugin.resource import DynamicResource, ResourceMetadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nebula_lab.plugin.description import OperationSpec, ResourceDescription, describe
    from nebula_lab.plugin.plain import to_plain

__all__ = [
    "PLUGIN_API_VERSION",
    "Plugin",
    "operation",
    "Bounds",
    "HealthStatus",
    "HealthState",
    "context",
    "Context",
    "PluginError",
    "DynamicResource",
    "ResourceMetadata",
    # for hosts and tools
    "current_context",
    "describe",
    "OperationSpec",
    "ResourceDescription",
    "to_plain",
]

PLUGIN_API_VERSION = 1

_LATER = {
    "describe": "description",
    "OperationSpec": "description",
    "ResourceDescription": "description",
    "to_plain": "plain",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
