"""Plugins on other Pythons than the manager's; what is not here already comes from PyPI."""

from __future__ import annotations

import pytest

from nebula_lab import PluginManager
from nebula_lab.environments.cache import EnvironmentCache

PLUGIN = """
class Abroad(Plugin):
    @operation
    def python(self) -> str:
        import sys
        return "%d.%d" % sys.version_info[:2]

    @operation
    def back(self, value):
        return value

    @operation
    def reaches_out(self) -> bool:
        import socket
        try:
            socket.socket().close()
        except OSError:
            return False
        return True

    def save_state(self):
        return {"kept": 1}

    def restore_state(self, state):
        self.kept = state["kept"]

def plugin_entry():
    return Abroad()
"""


@pytest.mark.timeout(300)  # with a first download
def test_the_newest_python_that_is_here_hosts_a_plugin_confined(plugin_file, tmp_path):
    with_nothing = EnvironmentCache()
    newest = with_nothing.interpreters.all()[0]
    with_nothing.close()
    python = {"requires": f"=={newest.version}"}
    plugin_file("abroad", PLUGIN, python=python, security={})
    with PluginManager({"plugin_dir": tmp_path / "plugins", "hot_reload": False}) as plugins:
        plugins.build_environment("abroad")
        assert plugins.execute("abroad", "python") == newest.minor
        assert plugins.execute("abroad", "back", {"value": {"a": [1, 2.5, None, b"x"]}}) == {
            "a": [1, 2.5, None, b"x"]
        }
        assert not plugins.execute("abroad", "reaches_out")
        plugins.reload_plugin("abroad")
        assert plugins.execute("abroad", "python") == newest.minor
        plugins.suspend_plugin("abroad")
        assert plugins.execute("abroad", "python") == newest.minor
