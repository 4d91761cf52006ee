"""What a plugin takes of the processor, and what it writes, under the limits of its manager."""

from __future__ import annotations

import pytest
from attack_stage import users
from siege import Siege

_MIB = 1 << 20
_BLOCK = 1 << 16
_KEPT = 32 * _MIB  # at most; some of it is buffers


@pytest.fixture(scope="module", params=list(users()))
def slow_siege(request):
    found = Siege(users()[request.param], resource_limits={"max_cpu_percent": 30})
    try:
        yield found
    finally:
        assert found.close() == []


def test_every_core_is_no_more_than_max_cpu_percent(slow_siege):
    outcome = slow_siege.attempt("every_core")
    assert not outcome["succeeded"], outcome
    assert outcome["error"] == "TimeoutError"
    assert len(slow_siege.ask("ping")) == 2


@pytest.mark.parametrize(
    "name",
    [
        "memory_of_children",
        "memory_of_a_memfd_by_writing",
        "memory_of_many_memfds",
        "memory_that_is_made_read_only",
    ],
)
def test_who_may_start_processes_gets_no_more_memory_by_it(siege, name):
    outcome = siege.attempt(name, plugin="spawner")
    assert not outcome["succeeded"], outcome
    assert len(siege.ask("ping")) == 2


@pytest.mark.parametrize("how", ["print", "descriptor", "error"])
def test_a_hundred_megabytes_of_output_do_not_stay_in_the_manager(siege, how):
    used, _ = siege.ask("memory")
    amount = 100 * _MIB // _BLOCK
    siege.ask("execute", plugin="attacker", operation="flood",
              params={"how": how, "amount": amount}, timeout=40.0)  # fmt: skip
    assert siege.ask("memory")[0] - used < _KEPT
    assert len(siege.ask("ping")) == 2


def test_fifty_thousand_long_lines_of_log_do_not_stay_in_the_manager(siege):
    used, _ = siege.ask("memory")
    siege.ask("execute", plugin="attacker", operation="flood",
              params={"how": "log", "amount": 50_000}, timeout=40.0)  # fmt: skip
    assert siege.ask("memory")[0] - used < _KEPT
    assert len(siege.ask("ping")) == 2
