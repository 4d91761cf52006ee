"""One side of a conflict: it wants the storage before version 2."""

from nebula_lab.plugin import Plugin, operation

PLUGIN_API_VERSION = 1


class Ledger(Plugin):
    @operation
    def ping(self) -> str:
        """Answer, if this is ever loaded."""
        return "pong"


def plugin_entry() -> Ledger:
    return Ledger()
