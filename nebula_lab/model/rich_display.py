"""Who may display what a browser runs."""

from __future__ import annotations

from nebula_lab.model.capability import PluginCapability
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.model.security import SandboxMode, SecurityConfig

__all__ = ["allows_rich_display"]


def allows_rich_display(plugin: PluginDescriptor, security: SecurityConfig) -> bool:
    """Whether a plugin asked for `RichDisplay` and was granted it; sandbox None is a waiver."""
    if security.sandbox is SandboxMode.NONE:
        return True
    granted = set(plugin.security.capabilities) & set(security.capabilities)
    return PluginCapability.RICH_DISPLAY in granted
