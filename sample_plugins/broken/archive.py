"""Gets the storage that it wants."""

from nebula_lab.plugin import Plugin, operation

PLUGIN_API_VERSION = 1


class Archive(Plugin):
    @operation
    def ping(self) -> str:
        """Answer, if this is ever loaded."""
        return "pong"


def plugin_entry() -> Archive:
    return Archive()
