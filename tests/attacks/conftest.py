"""Attackers, each kind of user once, and a look at what a whole module left behind."""

from __future__ import annotations

import left_behind
import pytest
from attack_stage import users
from siege import Siege


def pytest_report_header():
    if list(users()) == ["ordinary"]:
        return "attacks: not as root, since these tests are not run by root"
    return None


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_behind():
    """As for every test, but once for a module: its tests share managers."""
    with left_behind.nothing():
        yield


@pytest.fixture(scope="module", params=list(users()))
def siege(request):
    """A manager that is attacked, as each user; at the end nothing of it is left."""
    found = Siege(users()[request.param])
    try:
        yield found
    finally:
        assert found.close() == []
