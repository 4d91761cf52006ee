"""The other half of the cycle: the egg needs the chicken."""

from nebula_lab.plugin import Plugin, operation

PLUGIN_API_VERSION = 1


class Egg(Plugin):
    @operation
    def ping(self) -> str:
        """Answer, if this is ever loaded."""
        return "pong"


def plugin_entry() -> Egg:
    return Egg()
