"""Managers whose hosts are forked, and a plugin that says what it finds itself in."""

from __future__ import annotations

import warnings

from nebula_lab import PluginManager, UnenforcedWarning

# Runs what a test asks it to, in the module's own scope.
PROBE = """
import os, signal, sys
from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {
    "id": "NAME",
    "version": "1.0.0",
    "security": {
        "capabilities": ["Network", "FileSystem", "MemoryAllocation", "ProcessSpawn"],
        "allowed_variables": ["SET_LATE", "NOT_UTF8"],
    },
}

class Probe(Plugin):
    @operation
    def ask(self, expression: str, setup: str = ""):
        exec(setup, globals())
        return eval(expression, globals())

def plugin_entry():
    return Probe()
"""


class Lab:
    """A manager over a folder of probes.

    Attributes:
        plugins: the manager.
    """

    def __init__(self, folder, granted=("Network", "FileSystem", "MemoryAllocation"), **zygote):
        for name in ("one", "two", "three"):
            (folder / f"{name}.py").write_text(PROBE.replace("NAME", name))
        security = {"capabilities": list(granted)}
        settings = {"plugin_dir": folder, "grace": 0.3, "zygote": zygote, "security": security}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnenforcedWarning)
            self.plugins = PluginManager(settings)

    def spare_pids(self):
        """Of the spares that wait now."""
        return [spare.host.pid for spare in self.sandbox.spares._spares]

    def ask(self, plugin_id, expression, setup="", **options):
        return self.plugins.execute(
            plugin_id, "ask", {"expression": expression, "setup": setup}, **options
        )

    def pid(self, plugin_id):
        return self.ask(plugin_id, "os.getpid()")

    def is_forked(self, plugin_id):
        """Whether a plugin's host was forked from the zygote, and not replaced since."""
        return self.ask(plugin_id, "'nebula_lab.agent.zygote' in sys.modules")

    @property
    def sandbox(self):
        return self.plugins._engine._sandbox

    @property
    def launcher(self):
        return self.sandbox.launcher

    @property
    def zygote_pid(self):
        return self.launcher.zygote_pid
