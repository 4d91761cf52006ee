"""The attacks that are made on processes, made from within a machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "attacks"))

from siege import Siege, themed

THEMES = ("reading", "manager", "networks", "writing", "processes", "code", "kernel", "memory")


@pytest.fixture(scope="module")
def machined():
    found = Siege(0, sandbox="Wasm", capabilities=[])
    try:
        yield found
    finally:
        assert found.close() == []


@pytest.mark.parametrize("name", sorted({*themed(*THEMES)} - {"every_core"}))
def test_it_is_stopped_in_a_machine(machined, name):
    before = machined.effects()
    outcome = machined.attempt(name)
    assert machined.effects() == before, f"it reached the stage: {outcome}"
    assert not outcome["succeeded"], outcome
    assert len(machined.ask("ping")) == 2
