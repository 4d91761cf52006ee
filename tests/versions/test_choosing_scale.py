"""Hundreds of plugins in dozens of versions, and conflicts that must not be searched through."""

from __future__ import annotations

import pytest

from benchmarks.topics.choosing import make_universe
from nebula_lab.errors import NoVersionFitsError
from nebula_lab.resolver.choosing import Want, choose
from nebula_lab.resolver.choosing.clock import Clock

VERSIONS = 20


# Held is the number of steps, which is the same on every machine: about six for each version.
def test_five_hundred_plugins_in_twenty_versions_are_chosen_from(monkeypatch):
    universe = make_universe(500, VERSIONS, seed=1)
    wants = [Want(plugin_id, required=False) for plugin_id in universe]
    step, taken = Clock.step, []

    def counted(clock, steps=1):
        taken.append(steps)
        step(clock, steps)

    monkeypatch.setattr(Clock, "step", counted)
    choice = choose(wants, universe.__getitem__)
    assert 10_000 < sum(taken) < 100_000
    assert len(choice.releases) + len(choice.left_out) == 500
    for one in choice.releases.values():
        for entry in one.dependencies:
            assert entry.version_req.matches(choice.releases[entry.plugin_id].version)


# A search that goes back one step at a time would take 20 to the power of 100 steps.
def test_a_conflict_at_the_end_of_a_long_chain_is_found(shelf):
    lines = [
        f"p{n} 1.{version}.0: p{n + 1} >=1.{version % 3}"
        for n in range(100)
        for version in range(VERSIONS)
    ]
    ends = [f"p100 1.{version}.0: shared ^1" for version in range(VERSIONS)]
    plugins = shelf(*lines, *ends, "shared 1.0.0", "shared 2.0.0")
    with pytest.raises(NoVersionFitsError) as caught:
        plugins.choose("p0", "shared ^2")
    assert caught.value.plugin_id == "shared"


# As above, with what has nothing to do with the conflict in between.
def test_a_conflict_is_found_among_many_versions_that_do_not_matter(shelf):
    beside = [f"x{n} 1.{version}.0" for n in range(100) for version in range(VERSIONS)]
    first = [f"a 1.{version}.0: shared ^1" for version in range(VERSIONS)]
    last = [f"z 1.{version}.0: shared ^2" for version in range(VERSIONS)]
    plugins = shelf(*first, *beside, *last, "shared 1.0.0", "shared 2.0.0")
    with pytest.raises(NoVersionFitsError, match=r"z .* needs shared \^2"):
        plugins.choose("a", *(f"x{n}" for n in range(100)), "z")
