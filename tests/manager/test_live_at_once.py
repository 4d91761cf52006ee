"""Plugins that depend on each other, changed or called at the same time."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from nebula_lab.errors import DependencyCycleError, VersionConflictError
from nebula_lab.model import PluginState

PLUGIN = """
@operation
def version(self) -> int: return VERSION
def self_test(self):
    HOLD
"""
# Goes on once another plugin has come as far; what holds it is given up with the test.
RENDEZVOUS = """
    pathlib.Path(MINE).touch()
    while not pathlib.Path(OTHER).exists():
        time.sleep(0.002)
"""


class Pair:
    """Two plugins, `a` and `b`, in a manager that is open."""

    def __init__(self, folder, plugins, callers, tmp_path: Path) -> None:
        self.plugins = plugins
        self._folder = folder
        self._callers = callers
        self._marks = tmp_path

    def write(self, plugin_id: str, version: int, *needs: dict, hold: str = "") -> None:
        body = PLUGIN.replace("VERSION", str(version)).replace("HOLD", hold.strip() or "pass")
        self._folder.plugin(plugin_id, body, version=f"{version}.0.0", dependencies=[*needs])

    def write_meeting(self, version: int, a: list[dict], b: list[dict]) -> None:
        """New versions of both that prove themselves at the same time, or not at all."""
        for mine, other, needs in (("a", "b", a), ("b", "a", b)):
            hold = RENDEZVOUS.replace("MINE", repr(str(self._marks / f"{mine}{version}")))
            hold = hold.replace("OTHER", repr(str(self._marks / f"{other}{version}")))
            self.write(mine, version, *needs, hold=hold)

    def write_held(self, plugin_id: str, version: int, *needs: dict) -> Path:
        """A new version that proves itself once a file is there; the file."""
        gate = self._marks / f"{plugin_id}{version}"
        hold = RENDEZVOUS.replace("MINE", repr(f"{gate}.mark")).replace("OTHER", repr(str(gate)))
        self.write(plugin_id, version, *needs, hold=hold)
        return gate

    def reload_both(self) -> list[object]:
        for plugin_id in "ab":
            self._callers.start(self.plugins.reload_plugin, plugin_id)
        return self._callers.join(90)

    def versions(self) -> list[int]:
        return [self.plugins[plugin_id].version() for plugin_id in "ab"]


def need(plugin_id: str, version_req: str = "*", *, optional: bool = False) -> dict:
    return {"plugin_id": plugin_id, "version_req": version_req, "optional": optional}


@pytest.fixture
def pair(folder, callers, tmp_path):
    def opened(a: list[dict], b: list[dict]) -> Pair:
        pair.write("a", 1, *a)
        pair.write("b", 1, *b)
        pair.plugins = stack.enter_context(folder.manager())
        assert pair.versions() == [1, 1]
        return pair

    pair = Pair(folder, None, callers, tmp_path)
    with contextlib.ExitStack() as stack:
        yield opened


def test_two_that_depend_on_each_other_are_reloaded_at_the_same_time(pair):
    needs = {"a": [need("b")], "b": [need("a", optional=True)]}
    pair = pair(**needs)
    pair.write_meeting(2, **needs)
    assert pair.reload_both() == [None, None]
    assert pair.versions() == [2, 2]


def test_of_two_that_come_to_need_each_other_one_is_refused(pair):
    pair = pair([], [])
    pair.write_meeting(2, [need("b")], [need("a")])
    done = pair.reload_both()
    [refusal] = [one for one in done if one is not None]
    assert isinstance(refusal, DependencyCycleError)
    assert sorted(pair.versions()) == [1, 2]
    assert not [one for one in pair.plugins.problems if one.severity == "error"]


def test_of_two_whose_new_versions_do_not_fit_together_one_is_refused(pair):
    pair = pair([], [])
    pair.write_meeting(2, [need("b", "^1")], [])
    done = pair.reload_both()
    [refusal] = [one for one in done if one is not None]
    assert isinstance(refusal, VersionConflictError)
    assert sorted(pair.versions()) == [1, 2]
    assert not [one for one in pair.plugins.problems if one.severity == "error"]


def test_two_that_change_together_with_the_same_others_are_reloaded_at_once(folder, callers):
    def write(version: int) -> None:
        body = PLUGIN.replace("VERSION", str(version)).replace("HOLD", "pass")
        folder.plugin("base", body, version=f"{version}.0.0")
        for plugin_id in ("one", "two"):
            needs = [need("base", f"^{version}")]
            folder.plugin(plugin_id, body, version=f"{version}.0.0", dependencies=needs)

    write(1)
    with folder.manager() as plugins:
        for plugin_id in ("one", "two"):
            plugins.load_plugin(plugin_id)
        for version in (2, 3, 4):
            write(version)
            for plugin_id in ("one", "two"):
                callers.start(plugins.reload_plugin, plugin_id)
            assert not any(callers.join(90))
            assert {plugins[one].version() for one in ("base", "one", "two")} == {version}


def test_a_dependent_is_called_and_reloaded_while_what_it_needs_proves_itself(
    pair, callers, tmp_path, wait_until
):
    pair = pair([need("b")], [])
    pair.plugins.suspend_plugin("a")
    gate = pair.write_held("b", 2)
    callers.start(pair.plugins.reload_plugin, "b")
    wait_until(Path(f"{gate}.mark").exists, "it proves itself")
    assert pair.versions() == [1, 1]
    pair.write("a", 2, need("b"))
    pair.plugins.reload_plugin("a")
    assert pair.versions() == [2, 1]
    gate.touch()
    assert callers.join() == [None]
    assert pair.versions() == [2, 2]


@pytest.mark.parametrize("state", [PluginState.DISCOVERED, PluginState.SUSPENDED])
def test_new_code_that_needs_what_is_not_up_has_it_loaded(pair, state):
    pair = pair([], [])
    down = pair.plugins.unload_plugin if state is PluginState.DISCOVERED else None
    (down or pair.plugins.suspend_plugin)("b")
    pair.write("a", 2, need("b"))
    pair.plugins.reload_plugin("a")
    assert {one.id: one.state for one in pair.plugins.list_plugins()}["b"] is PluginState.LOADED
    assert pair.versions() == [2, 1]
