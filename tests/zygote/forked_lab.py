"""Managers whose hosts are forked, and a plugin that says what it finds itself in."""

from __future__ import annotations

from jupyter_client import BlockingKernelClient

from nebula_lab import PluginManager

# Runs what a test asks it to, in the module's own scope.
PROBE = """
import os, signal, sys, time
from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {"id": "NAME", "version": "1.0.0", "security": RIGHTS}

class Probe(Plugin):
    @operation
    def ask(self, expression: str, setup: str = ""):
        exec(setup, globals())
        return eval(expression, globals())

    @operation
    def wait(self):
        while not getattr(self, "is_over", False):
            time.sleep(0.01)
        return "over"

def plugin_entry():
    return Probe()
"""


def probe(plugin_id, **rights) -> str:
    """The source of a probe that asks for these rights, named as in a manifest."""
    return PROBE.replace("NAME", plugin_id).replace("RIGHTS", repr(rights))


class Lab:
    """A manager over a folder of probes.

    Args:
        folder: for the probes.
        rights: what they ask for, and get; nothing without.
        rights_of_three: what the third asks for, where that is something else.
        zygote: settings.

    Attributes:
        folder: of the probes.
        plugins: the manager.
    """

    def __init__(self, folder, rights=None, rights_of_three=None, strict=True, **zygote) -> None:
        self.folder = folder
        asked = dict.fromkeys(("one", "two", "three"), rights or {})
        if rights_of_three is not None:
            asked["three"] = rights_of_three
        for name, wanted in asked.items():
            (folder / f"{name}.py").write_text(probe(name, **wanted))
        granted = {one for wanted in asked.values() for one in wanted.get("capabilities", ())}
        security = {"capabilities": sorted(granted), "strict": strict}
        self.plugins = PluginManager(
            {"plugin_dir": folder, "grace": 0.3, "zygote": zygote, "security": security}
        )

    def ask(self, plugin_id, expression, setup="", **options):
        return self.plugins.execute(
            plugin_id, "ask", {"expression": expression, "setup": setup}, **options
        )

    def pid(self, plugin_id):
        return self.ask(plugin_id, "os.getpid()")

    def is_forked(self, plugin_id):
        """Whether a plugin's host was forked from the zygote, and not replaced since."""
        return self.ask(plugin_id, "'nebula_lab.agent.zygote' in sys.modules")

    def has_settled(self):
        """Whether the zygote has imported all that it is to: each load is forked from then on."""
        return self.launcher._zygotes[-1].has_preloaded

    @property
    def sandbox(self):
        return self.plugins._engine.sandboxes.usual

    @property
    def launcher(self):
        return self.sandbox.launcher

    @property
    def zygote_pid(self):
        return self.launcher.zygote_pid


def client_of(lab, plugin_id):
    """A plain Jupyter client, connected to a plugin's kernel."""
    lab.plugins.load_plugin(plugin_id)
    client = BlockingKernelClient(connection_file=str(lab.plugins.connection_file(plugin_id)))
    client.load_connection_file()
    client.start_channels()
    client.wait_for_ready(timeout=20)
    return client
