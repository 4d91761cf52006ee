"""The same attacks where there are neither namespaces nor control groups."""

from __future__ import annotations

import pytest
from attack_stage import users
from siege import NO_NAMESPACES, Siege, themed
from verdict import ENDED, assert_stopped

# A matter of `max_cpu_percent`; and what only a tree of its own hides, as the docs say.
NOT_HERE = frozenset({"every_core", "see_that_private_key_exists"})
# Counted by looking, where there is neither a quota nor a user namespace.
COUNTED = frozenset({"threads", "forty_files", "hundred_thousand_files"})


@pytest.fixture(scope="module")
def siege():
    # Where files are counted by looking, an attack on their number takes as long as it may make.
    limits = {"max_scratch": "64 MiB"}
    found = Siege(users()["ordinary"], lacks=NO_NAMESPACES, resource_limits=limits)
    try:
        yield found
    finally:
        assert found.close() == []


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in themed(
            "reading", "manager", "networks", "writing", "processes", "code", "kernel", "memory"
        )
        if name not in NOT_HERE
    ],
)
def test_landlock_and_seccomp_stop_it_alone(siege, name):
    assert_stopped(siege, name, ENDED | COUNTED)


@pytest.mark.parametrize("name", themed("leftovers"))
@pytest.mark.parametrize("ending", ["unload", "exit_hard", "crash_in_c"])
def test_a_subreaper_ends_what_a_plugin_left_behind(siege, name, ending, wait_until):
    assert siege.attempt(name, plugin="spawner")["succeeded"]
    wait_until(siege.stage.daemons, "the daemon is there")
    if ending == "unload":
        siege.ask("unload", plugin="spawner")
    else:
        siege.attempt(ending, plugin="spawner")
    wait_until(lambda: not siege.stage.daemons(), "the daemon is gone")
    assert len(siege.ask("ping")) == 2
