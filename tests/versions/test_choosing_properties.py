"""What holds for any set of releases, held against trying every combination."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from nebula_lab.errors import NoVersionFitsError
from nebula_lab.model.descriptor import PluginDependency
from nebula_lab.model.release import Release
from nebula_lab.model.requirement import VersionReq
from nebula_lab.model.version import Version
from nebula_lab.resolver.choosing import Want, choose

IDS = ["a", "b", "c", "d"]
REQUIREMENTS = [VersionReq.parse(text) for text in ("*", "^1", "^2", ">=2", "<3", "=2.0.0", "^9")]


@st.composite
def _universes(draw):
    """Up to three versions each of up to four plugins, which need one another at random."""
    entry = st.builds(
        PluginDependency,
        plugin_id=st.sampled_from([*IDS, "nobody"]),
        version_req=st.sampled_from(REQUIREMENTS),
    )
    universe = {}
    for plugin_id in IDS[: draw(st.integers(1, 4))]:
        universe[plugin_id] = [
            Release(
                id=plugin_id,
                version=Version(major),
                dependencies=tuple(draw(st.lists(entry, max_size=2, unique_by=_needed))),
            )
            for major in draw(st.lists(st.integers(1, 3), min_size=1, unique=True))
        ]
    return universe


def _needed(entry):
    return entry.plugin_id


def _is_sound(combination):
    """Whether what is chosen has what it needs; dependencies on oneself do not count."""
    return all(
        entry.plugin_id == one.id
        or (
            entry.plugin_id in combination
            and entry.version_req.matches(combination[entry.plugin_id].version)
        )
        for one in combination.values()
        for entry in one.dependencies
    )


def _combinations(universe):
    for chosen in product(*[[None, *releases] for releases in universe.values()]):
        combination = {one.id: one for one in chosen if one is not None}
        if _is_sound(combination):
            yield combination


_any_universe = given(_universes(), st.permutations(IDS), st.integers(1, 4))
_many = settings(derandomize=True, max_examples=150)


def _outcome(universe, ids, **options):
    wants = [Want(one, **options) for one in ids]
    return choose(wants, lambda plugin_id: universe.get(plugin_id, []))


@_many
@_any_universe
def test_a_choice_is_found_where_there_is_one_and_only_there(universe, order, count):
    wanted = order[:count]
    exists = any(set(wanted) <= set(one) for one in _combinations(universe))
    try:
        found = _outcome(universe, wanted).releases
    except NoVersionFitsError:
        assert not exists
    else:
        assert exists
        assert set(wanted) <= set(found)
        assert _is_sound(found)


@_many
@_any_universe
def test_as_many_are_had_as_go_together_the_first_named_before_others(universe, order, count):
    wanted = order[:count]
    found = _outcome(universe, wanted, required=False)
    had = [one in found.releases for one in wanted]
    best = max([one in combination for one in wanted] for combination in _combinations(universe))
    assert had == best
    assert set(found.left_out) == {one for one in wanted if one not in found.releases}


@_many
@_any_universe
def test_no_plugin_could_be_newer_by_itself(universe, order, count):
    found = _outcome(universe, order[:count], required=False).releases
    before = _with_circles(found)
    for plugin_id, one in found.items():
        for newer in universe[plugin_id]:
            if newer.version > one.version:
                other = {**found, plugin_id: newer}
                assert not _is_sound(other) or (_with_circles(other) and not before)


def _with_circles(combination):
    from nebula_lab.resolver.choosing.solving import circle_in

    return bool(circle_in(combination))


@_many
@_any_universe
def test_the_order_in_which_releases_are_offered_makes_no_difference(universe, order, count):
    turned = {plugin_id: releases[::-1] for plugin_id, releases in universe.items()}
    wanted = order[:count]
    first = _outcome(universe, wanted, required=False)
    second = _outcome(turned, wanted, required=False)
    assert first.releases == second.releases
    assert [*map(str, first.left_out.values())] == [*map(str, second.left_out.values())]
