"""Well by itself, but what it needs is left out."""

from nebula_lab.plugin import Plugin, operation

PLUGIN_API_VERSION = 1


class Newsletter(Plugin):
    @operation
    def ping(self) -> str:
        """Answer, if this is ever loaded."""
        return "pong"


def plugin_entry() -> Newsletter:
    return Newsletter()
