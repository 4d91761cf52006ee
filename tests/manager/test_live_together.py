"""Plugins that each ask for the other's new version: all of them come up, or none."""

from __future__ import annotations

import threading

import pytest

from nebula_lab.errors import PluginError
from nebula_lab.model import PluginState
from nebula_lab.model.events import ReloadFailed

BASE = """
count = 0
@operation
def up(self) -> list:
    self.count += 1
    return [VERSION, self.count]
@operation
def say_VERSION(self) -> int:
    return VERSION
"""
# Knows the base by an operation that each version has under another name.
USER = """
count = 0
def initialize(self, config):
    self.met = self.context.call("base", "say_VERSION")
@operation
def both(self) -> list:
    self.count += 1
    return [VERSION, self.context.call("base", "say_VERSION"), self.met, self.count]
"""
FAILING = "\ndef self_test(self): raise LookupError('no test')\n"


def base(folder, version: int, more: str = "") -> None:
    folder.plugin("base", BASE.replace("VERSION", str(version)) + more, version=f"{version}.0.0")


def user(folder, version: int, more: str = "", on: str = "base", name: str = "user") -> None:
    text = USER.replace('"base"', repr(on)).replace("VERSION", str(version)) + more
    asks = [f"{on} ^{version}"]
    folder.plugin(name, text, version=f"{version}.0.0", dependencies=asks)


def versions(plugins) -> dict[str, str]:
    return {one.id: str(one.version) for one in plugins.list_plugins()}


# What is decided before any new code starts is the same for every sandbox.
IN_THIS_PROCESS = pytest.mark.parametrize("plugins", ["None"], indirect=True)


@pytest.fixture(params=["Process", "None"])
def plugins(request, folder):
    """A base of 1.0.0 and a plugin that asks for `^1`, both called once."""
    base(folder, 1)
    user(folder, 1)
    with folder.manager(request.param) as manager:
        assert manager["base"].up() == [1, 1]
        assert manager["user"].both() == [1, 1, 1, 1]
        yield manager


@pytest.mark.parametrize("which", ["base", "user"])
def test_a_reload_of_one_brings_both_with_their_states(plugins, folder, which):
    base(folder, 2)
    user(folder, 2)
    plugins.reload_plugin(which)
    assert versions(plugins) == {"base": "2.0.0", "user": "2.0.0"}
    assert plugins["base"].up() == [2, 2]
    assert plugins["user"].both() == [2, 2, 1, 2]  # `met` is of its state


@pytest.mark.parametrize("broken", [base, user])
def test_if_one_fails_neither_comes_up(plugins, folder, broken):
    failed: list[ReloadFailed] = []
    plugins.subscribe(failed.append, only=[ReloadFailed])
    for write in (base, user):
        write(folder, 2, FAILING if write is broken else "")
    with pytest.raises(PluginError, match="no test") as caught:
        plugins.reload_plugin("base")
    assert "need each other" in str(caught.value)
    assert versions(plugins) == {"base": "1.0.0", "user": "1.0.0"}
    assert plugins["base"].up() == [1, 2]
    assert plugins["user"].both() == [1, 1, 1, 2]


@IN_THIS_PROCESS
def test_mended_they_come_up(plugins, folder):
    base(folder, 2)
    user(folder, 2, FAILING)
    with pytest.raises(PluginError, match="no test"):
        plugins.reload_plugin("user")
    user(folder, 2)
    plugins.reload_plugin("user")
    assert versions(plugins) == {"base": "2.0.0", "user": "2.0.0"}


def test_no_call_fails_meanwhile_and_none_sees_one_without_the_other(plugins, folder, callers):
    over = threading.Event()

    def call() -> set[tuple[int, int]]:
        seen = set()
        while not over.is_set():
            seen.add(tuple(plugins["user"].both()[:2]))
            plugins["base"].up()
        return seen

    for _ in range(3):
        callers.start(call)
    for version in (2, 3):
        base(folder, version)
        user(folder, version)
        plugins.reload_plugin("base")
    over.set()
    seen = set().union(*callers.join())
    assert seen <= {(version, version) for version in (1, 2, 3)}


@IN_THIS_PROCESS
def test_a_chain_of_three(plugins, folder):
    user(folder, 1, name="top", on="other")
    folder.plugin("other", BASE.replace("VERSION", "1"), dependencies=["base ^1"])
    plugins.rediscover()
    assert plugins["top"].both()[:2] == [1, 1]
    base(folder, 2)
    user(folder, 2)
    user(folder, 2, name="top", on="other")
    other = BASE.replace("VERSION", "2")
    folder.plugin("other", other, version="2.0.0", dependencies=["base ^2"])
    plugins.reload_plugin("top")
    assert set(versions(plugins).values()) == {"2.0.0"}
    assert plugins["top"].both()[:2] == [2, 2]


@IN_THIS_PROCESS
def test_what_need_not_change_is_left_alone(plugins, folder):
    folder.plugin("beside", BASE.replace("VERSION", "1"), dependencies=["base"])
    plugins.rediscover()
    plugins.load_plugin("beside")
    folder.plugin("beside", "raise LookupError('broken')", version="2.0.0", dependencies=["base"])
    base(folder, 2)
    user(folder, 2)
    plugins.reload_plugin("base")
    assert versions(plugins) == {"base": "2.0.0", "user": "2.0.0", "beside": "1.0.0"}


@IN_THIS_PROCESS
def test_one_that_is_not_loaded_is_described_anew(plugins, folder):
    plugins.unload_plugin("user")
    base(folder, 2)
    user(folder, 2)
    plugins.reload_plugin("base")
    assert versions(plugins) == {"base": "2.0.0", "user": "2.0.0"}
    assert plugins["user"].both() == [2, 2, 2, 1]


def test_a_suspended_one_comes_along_and_is_suspended_again(plugins, folder):
    plugins.suspend_plugin("user")
    base(folder, 2)
    user(folder, 2)
    plugins.reload_plugin("base")
    states = {one.id: one.state for one in plugins.list_plugins()}
    assert states["user"] is PluginState.SUSPENDED
    assert plugins["user"].both() == [2, 2, 1, 2]


@IN_THIS_PROCESS
def test_where_it_does_not_fit_all_the_same_the_error_says_what_is_on_disk(plugins, folder):
    base(folder, 3)
    user(folder, 2)
    with pytest.raises(PluginError, match=r"On disk there is user 2\.0\.0 too") as caught:
        plugins.reload_plugin("base")
    assert caught.value.plugin_id == "user"
    assert versions(plugins) == {"base": "1.0.0", "user": "1.0.0"}


def test_one_that_was_rolled_back_is_not_brought_along(folder, wait_until):
    folder.plugin("base", BASE.replace("VERSION", "1"))
    folder.plugin("user", BASE.replace("VERSION", "1"), dependencies=["base ^1"])
    with folder.manager() as plugins:
        plugins.load_plugin("user")
        wait_until(lambda: plugins.plugin_history("user"), "it is noted")
        newer = {"version": "2.0.0", "dependencies": ["base <3"]}
        folder.plugin("user", BASE.replace("VERSION", "2"), **newer)
        plugins.reload_plugin("user")
        plugins.rollback_plugin("user", "1.0.0")
        base(folder, 2)
        with pytest.raises(PluginError, match=r"needs base \^1"):
            plugins.reload_plugin("base")
        assert plugins["user"].up()[0] == 1


@IN_THIS_PROCESS
def test_a_new_version_may_call_what_only_it_depends_on(plugins, folder):
    folder.plugin("fresh", BASE.replace("VERSION", "1"))
    folder.plugin(
        "base",
        "def initialize(self, config): self.context.call('fresh', 'up')",
        version="1.1.0",
        dependencies=["fresh"],
    )
    plugins.rediscover()
    plugins.reload_plugin("base")
    assert versions(plugins)["base"] == "1.1.0"
