"""Plugins that test themselves, and that hear of a dependency's new version."""

from __future__ import annotations

import pytest

from nebula_lab.errors import PluginError

PASSES = {
    "nothing": "pass",
    "True": "return True",
    "a healthy status": "return HealthStatus.HEALTHY",
    "a degraded status": "return HealthStatus.degraded('slow')",
}
FAILS = {
    "an assertion": ("assert 1 == 2, 'sums'", "sums"),
    "an error": ("raise LookupError('no table')", "no table"),
    "False": ("return False", "self_test returned False"),
    "a False of numpy": ("import numpy; return numpy.False_", "self_test returned False"),
    "an unhealthy status": ("return HealthStatus.unhealthy('gone')", "gone"),
    "a generator": ("yield", "has tested nothing"),
}
ASYNC = "@operation\nasync def later(self): ...\n"


@pytest.mark.parametrize("what", PASSES)
def test_a_self_test_passes_with(folder, desk, what):
    folder.plugin("box", f"def self_test(self):\n    {PASSES[what]}\n")
    with folder.manager("None") as plugins:
        assert desk(plugins).ask("box", "self_test") == {"supported": True}


@pytest.mark.parametrize("what", FAILS)
def test_a_self_test_fails_with(folder, desk, what):
    code, said = FAILS[what]
    folder.plugin("box", f"def self_test(self):\n    {code}\n")
    with folder.manager("None") as plugins, pytest.raises(PluginError, match=said):
        desk(plugins).ask("box", "self_test")


def test_a_failed_assertion_shows_its_line(folder, desk):
    folder.plugin("box", "def self_test(self):\n    assert 1 == 2\n")
    with folder.manager("Process") as plugins, pytest.raises(PluginError) as failed:
        desk(plugins).ask("box", "self_test")
    assert "assert 1 == 2" in failed.value.remote_traceback


@pytest.mark.parametrize("more", ["", ASYNC])
@pytest.mark.parametrize("sandbox", ["Process", "None"])
def test_a_self_test_may_be_async(folder, desk, sandbox, more):
    test = "async def self_test(self):\n    await asyncio.sleep(0)\n    return False\n"
    folder.plugin("box", test + more)
    with folder.manager(sandbox) as plugins, pytest.raises(PluginError, match="returned False"):
        desk(plugins).ask("box", "self_test")


NEWS = {"plugin_id": "base", "version": "1.1.0", "from_version": "1.0.0"}
TELLS = {
    "two": ("plugin_id, version", "[plugin_id, version]", ["base", "1.1.0"]),
    "three": (
        "plugin_id, version, from_version",
        "[plugin_id, version, from_version]",
        ["base", "1.1.0", "1.0.0"],
    ),
    "any": ("*given, **more", "[*given, more['from_version']]", ["base", "1.1.0", "1.0.0"]),
}


@pytest.mark.parametrize("how", TELLS)
def test_a_plugin_is_told_of_a_reloaded_dependency(folder, desk, how):
    parameters, code, told = TELLS[how]
    folder.plugin(
        "box",
        f"def on_dependency_reloaded(self, {parameters}): self.told = {code}\n"
        "@operation\ndef look(self) -> list: return self.told\n",
    )
    with folder.manager("None") as plugins:
        assert desk(plugins).ask("box", "dependency_reloaded", NEWS) == {"supported": True}
        assert plugins["box"].look() == told


@pytest.mark.parametrize("kind", ["self_test", "dependency_reloaded"])
def test_a_plugin_need_have_neither(folder, desk, kind):
    folder.plugin("box", "pass")
    with folder.manager("None") as plugins:
        assert desk(plugins).ask("box", kind, NEWS) == {"supported": False}
