"""Another that runs one call at a time, for calls between plugins."""

import time
from pathlib import Path

from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {
    "id": "other",
    "version": "1.0.0",
    "security": {"capabilities": ["Network", "FileSystem", "MemoryAllocation"]},
}


class Other(Plugin):
    @operation
    def nap(self, seconds: float, marker: str) -> str:
        print("napping")
        Path(marker).touch()
        time.sleep(seconds)
        return "slept"


def plugin_entry():
    return Other()
