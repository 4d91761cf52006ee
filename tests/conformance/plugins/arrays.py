"""What needs numpy."""

import numpy

from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {
    "id": "arrays",
    "version": "1.0.0",
    "security": {"capabilities": ["MemoryAllocation"]},
}


class Arrays(Plugin):
    @operation
    def double(self, value: numpy.ndarray):
        return value * 2


def plugin_entry():
    return Arrays()
