"""Calls its dependency, which may not call it back."""

from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {"id": "asker", "version": "1.0.0", "dependencies": ["everything"]}


class Asker(Plugin):
    @operation
    def ask(self, operation: str, params: dict = {}):  # noqa: B006 - it is copied
        return self.context.call("everything", operation, params)

    @operation
    def ask_stranger(self):
        return self.context.call("neighbour", "whereabouts")


def plugin_entry():
    return Asker()
