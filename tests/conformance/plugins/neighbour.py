"""Keeps a secret in its own folder."""

from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {"id": "neighbour", "version": "1.0.0"}


class Neighbour(Plugin):
    @operation
    def whereabouts(self) -> str:
        file = self.context.scratch_dir / "secret.txt"
        file.write_text("the neighbour's secret")
        return str(file)


def plugin_entry():
    return Neighbour()
