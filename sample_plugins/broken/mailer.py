"""Needs a plugin that is not here."""

from nebula_lab.plugin import Plugin, operation

PLUGIN_API_VERSION = 1


class Mailer(Plugin):
    @operation
    def ping(self) -> str:
        """Answer, if this is ever loaded."""
        return "pong"


def plugin_entry() -> Mailer:
    return Mailer()
