"""Every attack from a plugin that was granted nothing: what stopped it, and who went on."""

from __future__ import annotations

import pytest
from attacks import ATTACKS
from siege import themed
from verdict import assert_stopped


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in themed(
            "reading", "manager", "networks", "writing", "processes", "code", "kernel", "memory"
        )
        if name != "every_core"  # a matter of `max_cpu_percent`; see test_attacks_limits.py
    ],
)
def test_it_is_stopped(siege, name):
    assert_stopped(siege, name)


def test_every_attack_is_in_some_test():
    elsewhere = {*themed("endings", "leftovers"), "every_core"}
    here = set(
        themed("reading", "manager", "networks", "writing", "processes", "code", "kernel", "memory")
    )
    assert here | elsewhere == set(ATTACKS)


@pytest.mark.parametrize(
    "what", ["sibling_code", "sibling_scratch", "connection_files", "store_files"]
)
def test_what_is_attacked_is_there(siege, what):
    """From outside; else its being out of reach would show nothing."""
    assert siege.target[what]
