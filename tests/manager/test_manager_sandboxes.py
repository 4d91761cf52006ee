"""A plugin may be isolated by more than the others, and never by less."""

from __future__ import annotations

import os
import warnings

import pytest

from nebula_lab import PluginConfig, PluginManager
from nebula_lab.model import Container, PluginDescriptor, SandboxMode, Version
from nebula_lab.model.sandbox_choice import sandbox_for_plugin

SOURCE = """
import os

class Where(Plugin):
    @operation
    def pid(self) -> int:
        return os.getpid()

def plugin_entry():
    return Where()
"""
NONE, PROCESS, WASM = SandboxMode.NONE, SandboxMode.PROCESS, SandboxMode.WASM
DOCKER, PODMAN = Container(runtime="docker"), Container(runtime="podman")


@pytest.fixture
def opened(plugin_file, tmp_path):
    """A manager over `plain` and `careful`; the latter asks for a sandbox."""

    def open_with(asked, **security):
        plugin_file("plain", SOURCE)
        plugin_file("careful", SOURCE, security={"sandbox": asked})
        config = {"plugin_dir": tmp_path / "plugins", "hot_reload": False, "security": security}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return PluginManager(config)

    return open_with


def test_two_plugins_of_one_manager_run_in_two_sandboxes(opened):
    with opened("Process", sandbox="None") as plugins:
        assert plugins.execute("plain", "pid") == os.getpid()
        assert plugins.execute("careful", "pid") != os.getpid()


def test_the_list_says_which_sandbox_each_plugin_has(opened):
    with opened("Process", sandbox="None") as plugins:
        found = {info.id: info.sandbox for info in plugins.list_plugins()}
    assert found == {"plain": "None", "careful": "Process"}


def test_a_plugin_that_asks_for_less_gets_the_usual_and_is_told(opened):
    with opened("None", sandbox="Process") as plugins:
        assert plugins.plugin_info("careful").sandbox == "Process"
        (note,) = [one for one in plugins.problems if one.plugin_id == "careful"]
    assert "asks for sandbox None, which isolates less than Process" in note.message
    assert note.severity == "note"


def test_the_configuration_chooses_for_one_plugin(opened):
    with opened(None, sandbox="None", sandboxes={"plain": "Process"}) as plugins:
        found = {info.id: info.sandbox for info in plugins.list_plugins()}
    assert found == {"plain": "Process", "careful": "None"}


def test_the_configuration_can_not_choose_less_for_one_plugin():
    with pytest.raises(ValueError, match=r"sandboxes\.plain: None isolates less"):
        PluginManager({"security": {"sandboxes": {"plain": "None"}}})


@pytest.mark.parametrize(
    ("usual", "own", "asked", "given"),
    [
        (PROCESS, None, None, PROCESS),
        (PROCESS, None, SandboxMode.CONTAINER, PODMAN),
        (DOCKER, None, SandboxMode.CONTAINER, DOCKER),
        (PROCESS, DOCKER, SandboxMode.CONTAINER, DOCKER),
        (PROCESS, DOCKER, WASM, WASM),
        (PROCESS, WASM, SandboxMode.CONTAINER, WASM),
        (DOCKER, PODMAN, None, PODMAN),
        (NONE, None, NONE, NONE),
    ],
)
def test_the_strongest_of_all_that_is_said_holds(usual, own, asked, given):
    security = {"sandbox": usual, "sandboxes": {} if own is None else {"one": own}}
    config = PluginConfig.model_validate({"security": security})
    described = {"id": "one", "version": Version.parse("1.0.0"), "path": "/"}
    descriptor = PluginDescriptor.model_validate({**described, "security": {"sandbox": asked}})
    assert sandbox_for_plugin(descriptor, config.security) == given


def test_how_containers_are_run_can_be_said_for_those_who_ask():
    config = PluginConfig.model_validate({"security": {"container": {"runtime": "docker"}}})
    descriptor = PluginDescriptor.model_validate(
        {"id": "one", "version": "1.0.0", "path": "/", "security": {"sandbox": "Container"}}
    )
    assert sandbox_for_plugin(descriptor, config.security) == DOCKER
