"""The strictest setting leaves room for what plugins are for."""

from __future__ import annotations

import pytest
from attack_stage import users
from siege import NO_NAMESPACES, Siege
from useful_work import RESULTS

POOR = "ordinary without namespaces"
# What docs/security.md says does not work there.
NOT_WITHOUT = {
    "files": "shutil.copy2",  # sets times
    "thread_pool_of_multiprocessing": "SemLock",  # a file in /dev/shm
}
# What takes much of the memory that one plugin may have; the rest share the host of the last.
LARGE = frozenset({"numpy", "pandas", "matplotlib"})


@pytest.fixture(scope="module", params=[*users(), POOR])
def workshop(request):
    """A manager that grants nothing to anybody."""
    is_poor = request.param == POOR
    uid = users()["ordinary" if is_poor else request.param]
    found = Siege(uid, lacks=NO_NAMESPACES if is_poor else (), capabilities=[])
    try:
        yield found
    finally:
        assert found.close() == []


@pytest.mark.parametrize("operation", list(RESULTS))
def test_it_works(workshop, operation):
    if operation in LARGE:  # each in a host of its own: limits are a plugin's
        workshop.ask("unload", plugin="worker")
    answer = workshop.ask("execute", plugin="worker", operation=operation, params={}, timeout=60.0)
    if workshop.is_poor and operation in NOT_WITHOUT:
        assert "PermissionError" in answer["detail"]
        assert NOT_WITHOUT[operation] in answer["detail"]
        return
    expected = RESULTS[operation]
    shown = repr(expected) if isinstance(expected, bytes) else expected
    assert answer.get("result") == shown, answer.get("detail")
