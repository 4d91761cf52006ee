"""Which version is chosen, by the rules that users are told of."""

from __future__ import annotations

import pytest

from nebula_lab.errors import NoVersionFitsError
from nebula_lab.resolver.choosing import Want


def test_the_newest_version_is_chosen(shelf):
    assert shelf("a 1.9.0", "a 1.10.0", "a 1.2.0").versions("a") == {"a": "1.10.0"}


def test_the_newest_version_of_a_dependent_counts_more_than_that_of_its_dependency(shelf):
    plugins = shelf("app 2.0.0: core ^1", "app 1.0.0: core ^2", "core 1.0.0", "core 2.0.0")
    assert plugins.versions("core", "app") == {"app": "2.0.0", "core": "1.0.0"}


def test_what_is_asked_for_decides(shelf):
    assert shelf("a 1.0.0", "a 2.0.0").versions("a ^1") == {"a": "1.0.0"}


def test_each_plugin_is_asked_for_once(shelf):
    plugins = shelf("a 2.0.0: b; c", "a 1.0.0: b; c", "b 1.0.0: c", "b 2.0.0: c ^2", "c 1.0.0")
    plugins.choose("a", "b")
    assert sorted(plugins.asked) == ["a", "b", "c"]


def test_what_only_an_old_version_needs_is_not_asked_for(shelf):
    plugins = shelf("a 2.0.0: b", "a 1.0.0: old", "b 1.0.0", "old 1.0.0")
    plugins.choose("a")
    assert "old" not in plugins.asked


def test_a_pin_holds_for_everybody(shelf):
    plugins = shelf("a 1.0.0: b", "b 1.0.0", "b 2.0.0")
    assert plugins.versions("a", pins={"b": "=1.0.0"})["b"] == "1.0.0"


def test_a_locked_version_comes_before_newer_ones(shelf):
    plugins = shelf("a 1.0.0: b", "b 1.0.0", "b 2.0.0")
    choice = plugins.choose("a", locked={"b": "1.0.0"})
    assert str(choice.releases["b"].version) == "1.0.0"
    assert not choice.departures


def test_a_locked_version_gives_way_and_that_is_told(shelf):
    plugins = shelf("a 1.0.0: b ^2", "b 1.0.0", "b 2.0.0")
    choice = plugins.choose("a", locked={"b": "1.0.0"})
    assert {one: str(version) for one, version in choice.departures.items()} == {"b": "1.0.0"}


def test_a_prerelease_is_taken_where_there_is_nothing_else(shelf):
    assert shelf("a 1.0.0-rc.1").versions("a") == {"a": "1.0.0-rc.1"}


def test_a_prerelease_is_taken_where_the_user_allows_it(shelf):
    plugins = shelf("a 1.0.0", "a 2.0.0-rc.1")
    assert plugins.versions("a", prereleases=True) == {"a": "2.0.0-rc.1"}


def test_a_prerelease_is_taken_where_a_pin_names_it(shelf):
    plugins = shelf("a 1.0.0", "a 2.0.0-rc.1")
    assert plugins.versions("a", pins={"a": "=2.0.0-rc.1"}) == {"a": "2.0.0-rc.1"}


@pytest.fixture
def yanked(shelf, make_release):
    return shelf("a 1.0.0", make_release("a 2.0.0", yanked="loses data"))


def test_a_withdrawn_version_is_passed_over(yanked):
    assert yanked.versions("a") == {"a": "1.0.0"}


def test_a_withdrawn_version_is_taken_where_an_exact_pin_names_it(yanked):
    assert yanked.versions("a", pins={"a": "=2.0.0"}) == {"a": "2.0.0"}


def test_a_withdrawn_version_is_not_taken_for_a_range(yanked):
    with pytest.raises(NoVersionFitsError, match=r"a 2\.0\.0 was withdrawn: loses data"):
        yanked.choose("a ^2")


def test_a_withdrawn_version_is_taken_where_it_is_locked(yanked):
    assert yanked.versions("a", locked={"a": "2.0.0"}) == {"a": "2.0.0"}


def test_of_one_version_the_folder_comes_first_and_the_registry_last(shelf, make_release, origins):
    here = [make_release("a 1.0.0", origin=origin) for origin in reversed(origins)]
    for expected in origins:
        assert shelf(*here).choose("a").releases["a"].origin is expected
        here = [one for one in here if one.origin is not expected]


def test_a_newer_version_in_the_registry_comes_before_an_older_one_in_the_folder(
    shelf, make_release, origins
):
    plugins = shelf("a 1.0.0", make_release("a 1.1.0", origin=origins.REGISTRY))
    assert plugins.versions("a") == {"a": "1.1.0"}


def test_an_optional_dependency_is_no_reason_for_a_failure(shelf):
    plugins = shelf("a 1.0.0: nobody? ^1; b? ^9", "b 1.0.0")
    assert plugins.versions("a", "b") == {"a": "1.0.0", "b": "1.0.0"}


def test_a_version_for_another_nebula_lab_is_passed_over(shelf, make_release):
    from nebula_lab.model import Version

    newer = make_release("a 2.0.0", min_nebula_version=Version.parse("99.0.0"))
    other = make_release("a 3.0.0", api_version=99)
    assert shelf("a 1.0.0", newer, other).versions("a") == {"a": "1.0.0"}


def test_what_is_wanted_later_gives_way_to_what_was_named_before(shelf):
    plugins = shelf("a 1.0.0: c ^1", "b 1.0.0: c ^2", "c 1.0.0", "c 2.0.0")
    assert list(plugins.choose("a?", "b?").left_out) == ["b"]
    assert list(plugins.choose("b?", "a?").left_out) == ["a"]


def test_an_older_version_is_rather_taken_than_a_plugin_left_out(shelf):
    plugins = shelf("a 2.0.0: c ^2", "a 1.0.0: c ^1", "b 1.0.0: c ^1", "c 1.0.0", "c 2.0.0")
    choice = plugins.choose("a?", "b?")
    assert not choice.left_out
    assert str(choice.releases["a"].version) == "1.0.0"


def test_who_is_left_out_takes_nobody_along_who_can_do_without(shelf):
    plugins = shelf("a 1.0.0: gone", "b 1.0.0: a? ^1", "c 1.0.0")
    assert plugins.versions("a?", "b?", "c?") == {"b": "1.0.0", "c": "1.0.0"}


@pytest.fixture
def conflict(shelf):
    plugins = shelf(
        "app 1.1.0: mid", "mid 1.0.0: core ^1.2", "tool 3.0.0: core ^2", "core 1.9.0", "core 2.1.0"
    )
    with pytest.raises(NoVersionFitsError) as caught:
        plugins.choose("app", Want("tool", by="the test"))
    return caught.value


def test_a_conflict_names_who_asks_for_what_and_which_version_would_do(conflict):
    assert conflict.plugin_id == "core"
    assert "mid 1.0.0 needs core ^1.2, for which 1.9.0 would do." in conflict.reasons
    assert "tool 3.0.0 needs core ^2, for which 2.1.0 would do." in conflict.reasons


def test_a_conflict_says_through_whom_and_by_whom_it_is_asked(conflict):
    assert "app 1.1.0 needs mid *, for which 1.0.0 would do." in conflict.reasons
    assert "tool is wanted by the test." in conflict.reasons


def test_a_conflict_says_what_to_change(conflict):
    assert (
        "If tool 3.0.0 could do with core 1.9.0, there would be a choice: "
        "widen its requirement ^2." in conflict.cures
    )
    assert "Or go without app or tool." in conflict.cures


def test_a_version_in_between_that_nobody_has_is_named(shelf):
    plugins = shelf("a 1.0.0: c >=1.2", "b 1.0.0: c <1.5", "c 1.0.0", "c 2.0.0")
    with pytest.raises(NoVersionFitsError, match=r"A version of c that is >=1.2, <1.5 would do"):
        plugins.choose("a", "b")


def test_a_pin_that_is_in_the_way_is_named(shelf):
    plugins = shelf("a 1.0.0: c ^1", "c 1.0.0", "c 2.0.0")
    with pytest.raises(NoVersionFitsError, match=r"Without the pin of c to \^2 there is a choice"):
        plugins.choose("a", pins={"c": "^2"})


def test_a_withdrawn_version_that_would_do_is_named(shelf, make_release):
    withdrawn = [make_release(f"c 1.{n}.0", yanked="no") for n in (1, 2)]
    plugins = shelf("a 1.0.0: c ^1", "c 2.0.0", *withdrawn)
    with pytest.raises(NoVersionFitsError) as caught:
        plugins.choose("a")
    assert (
        "c 1.2.0 would do, although it was withdrawn: name it, by a pin to =1.2.0 or by "
        "installing c@1.2.0." in caught.value.cures
    )


def test_a_withdrawn_version_that_would_not_help_is_not_advised(shelf, make_release):
    withdrawn = make_release("c 1.1.0: gone", yanked="no")
    plugins = shelf("a 1.0.0: c ^1", "c 2.0.0", withdrawn)
    with pytest.raises(NoVersionFitsError) as caught:
        plugins.choose("a")
    assert not any("withdrawn" in cure for cure in caught.value.cures)


def test_a_plugin_that_nobody_has_is_named_with_the_one_that_was_meant(shelf):
    with pytest.raises(NoVersionFitsError, match="There is no crore; did you mean core"):
        shelf("a 1.0.0: crore", "core 1.0.0").choose("a", "core")
