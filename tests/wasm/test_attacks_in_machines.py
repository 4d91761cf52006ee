"""The attacks that are made on processes, made from within a machine of sandbox Wasm."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "attacks"))

from siege import Siege, themed

THEMES = ("reading", "manager", "networks", "writing", "processes", "code", "kernel", "memory")
# What a refusal looks like, and what it looks like that there is nothing to take or to take it by.
REFUSED = frozenset({"EPERM", "EACCES", "ENOENT", "ENOTSUP", "ENOSYS", "EBADF"})
STOPPED = frozenset({
    "AttributeError", "LookupError", "KeyError", "FileNotFoundError", "ModuleNotFoundError",
    "NotImplementedError", "OverflowError", "MemoryError", "PluginTimeoutError", "RuntimeError",
    "gaierror",
})  # fmt: skip
# WASI takes it without a word, and changes nothing.
SILENT = frozenset({"chmod_a_file"})
TIMEOUT = 1.0  # seconds, for those that go on and on


@pytest.fixture(scope="module")
def walled(component):
    cache = {"NEBULA_LAB_WASM_CACHE": os.environ["NEBULA_LAB_WASM_CACHE"]}
    found = Siege(os.getuid(), cache, sandbox="Wasm")
    try:
        yield found
    finally:
        assert found.close() == []


@pytest.mark.parametrize("name", themed(*THEMES))
def test_it_is_stopped_in_a_machine(walled, name):
    before = walled.effects()
    outcome = walled.attempt(name, timeout=TIMEOUT)
    assert walled.effects() == before, f"it reached the stage: {outcome}"
    if name not in SILENT:
        assert not outcome["succeeded"], outcome
        known = outcome.get("errno") in REFUSED or outcome["error"] in STOPPED
        # Where a module that is not there was to be computed with.
        assert known or "Absent" in outcome["detail"], outcome
    assert len(walled.ask("ping")) == 2


def test_one_that_asks_for_processes_is_not_loaded(walled):
    outcome = walled.attempt("run_program", plugin="spawner")
    assert outcome["error"] in ("LoadFailedError", "ExecutionFailedError")
    assert "other processes" in outcome["detail"]
