"""Choosing among the versions of plugins that are known."""

from __future__ import annotations

from nebula_lab.resolver.choosing.choose import choose
from nebula_lab.resolver.choosing.wants import Choice, Want

__all__ = ["Choice", "Want", "choose"]
