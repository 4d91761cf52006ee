"""Half of a cycle: the chicken needs the egg."""

from nebula_lab.plugin import Plugin, operation

PLUGIN_API_VERSION = 1


class Chicken(Plugin):
    @operation
    def ping(self) -> str:
        """Answer, if this is ever loaded."""
        return "pong"


def plugin_entry() -> Chicken:
    return Chicken()
