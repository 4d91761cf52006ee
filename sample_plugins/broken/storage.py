"""Well by itself; two plugins want different versions of it."""

from nebula_lab.plugin import Plugin, operation

PLUGIN_API_VERSION = 1


class Storage(Plugin):
    @operation
    def ping(self) -> str:
        """Answer, if this is ever loaded."""
        return "pong"


def plugin_entry() -> Storage:
    return Storage()
