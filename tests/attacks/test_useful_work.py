"""The strictest setting leaves room for what plugins are for."""

from __future__ import annotations

import pytest
from attack_stage import users
from siege import Siege
from useful_work import RESULTS


@pytest.fixture(scope="module", params=list(users()))
def workshop(request):
    """A manager that grants nothing to anybody."""
    found = Siege(users()[request.param], capabilities=[])
    try:
        yield found
    finally:
        assert found.close() == []


@pytest.mark.parametrize("operation", list(RESULTS))
def test_it_works(workshop, operation):
    workshop.ask("unload", plugin="worker")  # each in a host of its own: limits are a plugin's
    answer = workshop.ask("execute", plugin="worker", operation=operation, params={}, timeout=60.0)
    expected = RESULTS[operation]
    shown = repr(expected) if isinstance(expected, bytes) else expected
    assert answer.get("result") == shown, answer.get("detail")
