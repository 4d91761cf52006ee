"""Containers for tests, and a look at what they leave behind."""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

import left_behind
import pytest
from container_runtime import containers, need_containers, watchers_of_none
from shared_zygote import shared_zygote

from nebula_lab import PluginManager, UnenforcedWarning

# The attacks on processes are made on containers too.
sys.path.insert(0, str(Path(__file__).parents[1] / "attacks"))
PODMAN = {"type": "Container", "runtime": "podman"}
PATIENCE = 60.0  # as long as a runtime is given to remove one


@pytest.fixture(scope="module")
def podman():
    """That there are containers; at the module's end none of ours, nothing of theirs is left."""
    need_containers()
    before = set(containers())
    yield
    deadline = time.monotonic() + PATIENCE
    idle = watchers_of_none()
    while left := (set(containers()) - before) | (idle := idle and idle & watchers_of_none()):
        if time.monotonic() > deadline:
            pytest.fail(f"left behind: {left}")
        time.sleep(0.1)


@pytest.fixture
def opened(podman, plugin_file, tmp_path):
    """Opens a manager over the plugins of the test, in containers."""
    managers = []

    def open_with(*, sandbox=None, **settings):
        security = {"sandbox": sandbox or PODMAN, **settings.pop("security", {})}
        config = {
            "plugin_dir": tmp_path / "plugins",
            "grace": 0.3,
            "hot_reload": False,
            "restart": {"max_restarts": 100, "backoff": 0},
            "security": security,
            **settings,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnenforcedWarning)
            managers.append(PluginManager(config))
        return managers[-1]

    yield open_with
    for manager in managers:
        manager.close()


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_behind():
    """As for every test, but once for a module: its tests share managers."""
    shared_zygote.end()
    with left_behind.nothing(PATIENCE):
        yield
