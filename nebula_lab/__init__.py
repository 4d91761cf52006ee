"""An interactive plugin workbench for Jupyter: every plugin in its own kernel, under one manager.

Names are imported when they are first used. Agents inside sandboxes import this package too, and
neither have nor need what the manager is made of.
"""

from __future__ import annotations

from nebula_lab._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nebula_lab.aio import AsyncPluginManager
    from nebula_lab.current import current_manager, find_config, set_current_manager
    from nebula_lab.errors import PluginError
    from nebula_lab.manager import PluginManager, UnenforcedWarning
    from nebula_lab.model import (
        DiscoveryStrategy,
        LoadingStrategy,
        PluginCapability,
        PluginConfig,
        PluginDependency,
        PluginDescriptor,
        PluginInfo,
        PluginMetadata,
        PluginState,
        ResourceLimits,
        SandboxMode,
        SecurityConfig,
        Version,
        VersionReq,
    )
    from nebula_lab.plugin import (
        PLUGIN_API_VERSION,
        DynamicResource,
        HealthStatus,
        Plugin,
        operation,
    )
    from nebula_lab.resolver import PluginRegistry

_HOMES = {
    "PluginManager": "nebula_lab.manager",
    "UnenforcedWarning": "nebula_lab.manager",
    "AsyncPluginManager": "nebula_lab.aio",
    "current_manager": "nebula_lab.current",
    "set_current_manager": "nebula_lab.current",
    "find_config": "nebula_lab.current",
    "PluginError": "nebula_lab.errors",
    "PluginRegistry": "nebula_lab.resolver",
    **dict.fromkeys(
        (
            "PluginConfig",
            "DiscoveryStrategy",
            "SecurityConfig",
            "SandboxMode",
            "PluginCapability",
            "ResourceLimits",
            "LoadingStrategy",
            "PluginDescriptor",
            "PluginDependency",
            "PluginMetadata",
            "PluginState",
            "PluginInfo",
            "Version",
            "VersionReq",
        ),
        "nebula_lab.model",
    ),
    **dict.fromkeys(
        ("Plugin", "operation", "DynamicResource", "HealthStatus", "PLUGIN_API_VERSION"),
        "nebula_lab.plugin",
    ),
}

__all__ = [
    "__version__",
    "PluginManager",
    "AsyncPluginManager",
    "current_manager",
    "set_current_manager",
    "find_config",
    "PluginConfig",
    "DiscoveryStrategy",
    "SecurityConfig",
    "SandboxMode",
    "PluginCapability",
    "ResourceLimits",
    "LoadingStrategy",
    "PluginDescriptor",
    "PluginDependency",
    "PluginMetadata",
    "PluginState",
    "PluginInfo",
    "PluginRegistry",
    "Version",
    "VersionReq",
    "PluginError",
    "UnenforcedWarning",
    "Plugin",
    "operation",
    "DynamicResource",
    "HealthStatus",
    "PLUGIN_API_VERSION",
    "load_ipython_extension",
    "unload_ipython_extension",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(ipython: Any) -> None:
    """What `%load_ext nebula_lab` calls."""
    import gc

    # Imports make tens of thousands of objects that all stay. The collector would go through
    # them, and with them through all that the notebook holds, for a sixth of the time.
    collects = gc.isenabled()
    gc.disable()
    try:
        from nebula_lab.notebook import load_ipython_extension as load

        load(ipython)
    finally:
        if collects:
            # To the oldest generation, without a look at any of them.
            if not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def unload_ipython_extension(ipython: Any) -> None:
    """What `%unload_ext nebula_lab` calls."""
    from nebula_lab.notebook import unload_ipython_extension as unload

    unload(ipython)
