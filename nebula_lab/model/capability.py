"""What a plugin may be allowed to do."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from nebula_lab.model.variants import OneOf

__all__ = ["PluginCapability", "Capability"]


class PluginCapability(Enum):
    """A right that a plugin asks for and a configuration grants."""

    NETWORK = "Network"
    FILE_SYSTEM = "FileSystem"
    PROCESS_SPAWN = "ProcessSpawn"
    MEMORY_ALLOCATION = "MemoryAllocation"
    SYSTEM_CALLS = "SystemCalls"
    RICH_DISPLAY = "RichDisplay"


Capability = Annotated[
    PluginCapability,
    OneOf("capability", {member.value: member for member in PluginCapability}),
]
"""A pydantic field that reads a capability by its name, and names the nearest if there is none."""
