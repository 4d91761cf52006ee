"""The attacks that are made on processes, made from within a container."""

from __future__ import annotations

import pytest
from siege import Siege, themed

# Kinds of which the kernel may take some without a word; nobody is reached by these.
SILENT = frozenset({"signal_everybody", "signal_manager_by_made_owner"})
# How many files it keeps in memory of its own is bounded by that memory alone.
BOUNDED = "hundred_thousand_files"
THEMES = ("reading", "manager", "networks", "writing", "processes", "code", "kernel", "memory")


@pytest.fixture(scope="module")
def walled(podman):
    found = Siege(0, sandbox={"type": "Container", "runtime": "podman"})
    try:
        yield found
    finally:
        assert found.close() == []


@pytest.mark.parametrize("name", sorted({*themed(*THEMES)} - {"every_core", BOUNDED}))
def test_it_is_stopped_in_a_container(walled, name):
    before = walled.effects()
    outcome = walled.attempt(name)
    assert walled.effects() == before, f"it reached the stage: {outcome}"
    if name not in SILENT:
        assert not outcome["succeeded"], outcome
    assert len(walled.ask("ping")) == 2
