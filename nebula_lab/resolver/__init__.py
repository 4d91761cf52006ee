"""Which plugins can be loaded, in what order, and why the others can't."""

from __future__ import annotations

from nebula_lab.resolver.registry import PluginRegistry
from nebula_lab.resolver.resolution import Resolution

__all__ = ["PluginRegistry", "Resolution"]
