"""A content store that is removed, or can't be used, below plugins that run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nebula_lab.errors import PluginCrashedError, PluginError
from nebula_lab.model import PluginState
from nebula_lab.model.events import PluginCrashed

COUNTER = """
def initialize(self, config): self.count = 0
@operation
def up(self) -> list[int]:
    self.count += 1
    return [VERSION, self.count]
@operation
def die(self): os._exit(1)
"""
SETTINGS = {"checkpoint": {"calls": 1}, "restart": {"backoff": 0.001, "max_backoff": 0.001}}


def counter(version: int) -> str:
    return COUNTER.replace("VERSION", str(version))


def remove(store: Path) -> None:
    shutil.rmtree(store)


def put_a_file_there(store: Path) -> None:
    shutil.rmtree(store)
    store.touch()


@pytest.fixture
def store(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("NEBULA_LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "store"


@pytest.fixture
def plugins(folder, store, wait_until):
    folder.plugin("counter", counter(1))
    with folder.manager(**SETTINGS) as manager:
        assert manager["counter"].up() == [1, 1]
        # The last that is written there by itself.
        wait_until(lambda: manager.plugin_history("counter"), "it is in the history")
        yield manager


@pytest.fixture(params=[remove, put_a_file_there])
def ruin(request):
    return request.param


def crash(plugins) -> None:
    with pytest.raises(PluginCrashedError):
        plugins["counter"].die()


def test_files_that_are_still_on_disk_serve_for_those_that_the_store_has_lost(plugins, store, ruin):
    ruin(store)
    crash(plugins)
    assert plugins["counter"].up() == [1, 2]
    plugins.suspend_plugin("counter")
    assert plugins["counter"].up() == [1, 3]


def test_they_are_kept_anew_where_that_is_possible(folder, plugins, store):
    shutil.rmtree(store)
    crash(plugins)
    assert plugins["counter"].up() == [1, 2]
    folder.plugin("counter", counter(2))
    crash(plugins)
    assert plugins["counter"].up() == [1, 3]


def test_other_files_on_disk_are_not_run_in_their_place_and_it_is_said_what_is_wrong(
    folder, plugins, store, ruin, wait_until
):
    crashes: list[PluginCrashed] = []
    plugins.subscribe(crashes.append, only=[PluginCrashed])
    folder.plugin("counter", counter(2))
    ruin(store)
    crash(plugins)
    state = plugins._engine.catalogue.record("counter")
    wait_until(lambda: state.state is PluginState.FAILED, "it is given up")
    assert len(crashes) == 1
    said = str(state.failure)
    assert "crashed" not in said
    for part in ("could not be started again", str(store), "reload_plugin('counter')"):
        assert part in said
    if store.is_file():
        with pytest.raises(PluginError, match=str(store)):
            plugins.reload_plugin("counter")
        store.unlink()
    plugins.reload_plugin("counter")
    assert plugins["counter"].up() == [2, 2]
