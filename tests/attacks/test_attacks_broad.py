"""Attacks from a plugin that may write to folders with the store, sockets and plugins in them."""

from __future__ import annotations

import pytest
from attacks import ATTACKS

OURS = ("sibling code", "sibling scratch", "connection key", "store")
AGAINST_OURS = [name for name, one in ATTACKS.items() if one.secret in OURS]


def test_there_are_attacks_on_all_that_is_ours():
    assert {ATTACKS[name].secret for name in AGAINST_OURS} >= {"sibling code", "connection key"}


@pytest.mark.parametrize("name", AGAINST_OURS)
def test_what_is_ours_is_not_read_in_what_was_granted(siege, name):
    outcome = siege.attempt(name, "broad")
    assert not outcome["succeeded"], outcome
    assert len(siege.ask("ping")) == 2


def test_what_was_granted_is_read_all_the_same(siege):
    outcome = siege.attempt("read_private_key", "broad")
    assert outcome["succeeded"], outcome
