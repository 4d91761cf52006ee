"""Attackers, each kind of user once, and a look at what a whole module left behind."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from attack_stage import users
from siege import Siege


def pytest_report_header():
    if list(users()) == ["ordinary"]:
        return "attacks: not as root, since these tests are not run by root"
    return None


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_behind(request):
    """As for every test, but once for a module: its tests share managers."""
    parent = request.config.pluginmanager.get_plugin(str(Path(__file__).parents[1] / "conftest.py"))
    before, sockets = parent.processes(), parent.sockets()
    yield
    deadline = time.monotonic() + parent.DEADLINE
    while parent.processes() - before or parent.sockets() > sockets:
        if time.monotonic() > deadline:
            pytest.fail(f"left behind: {parent.processes() - before}, {parent.sockets()} sockets")
        time.sleep(0.02)


@pytest.fixture(scope="module", params=list(users()))
def siege(request):
    """A manager that is attacked, as each user; at the end nothing of it is left."""
    found = Siege(users()[request.param])
    try:
        yield found
    finally:
        assert found.close() == []
