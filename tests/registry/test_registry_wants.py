"""What is asked for twice, and what registries have and can't be used."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from registry_world import installation, versions

from nebula_lab.errors import InstallError, NoVersionFitsError
from nebula_lab.registry.format.documents import Dependency
from nebula_lab.registry.installing.wanted import read_wanted, together

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["a", "b"], ["a *", "b *"]),
        (["a@^1", "b", "a@>=1.2"], ["a ^1, >=1.2", "b *"]),
        (["a@^1", "a@^1", "a"], ["a ^1"]),
        (["a", "a"], ["a *"]),
        (["a@=1.0.0-rc.1", "a@>=1.0.0-rc.1"], ["a =1.0.0-rc.1, >=1.0.0-rc.1"]),
    ],
)
def test_what_is_asked_of_one_plugin_twice_holds_both_times(words, meant):
    found = together(map(read_wanted, words))
    assert [f"{one.id} {one.requirement}" for one in found] == meant


def test_what_can_not_hold_both_times_is_named_both_times(growing, folder):
    growing.add("counter", "2.0.0")
    act = installation(growing, folder)
    with pytest.raises(InstallError, match=r"counter: it is asked for as \^1 and as \^2"):
        act.install([read_wanted("counter@^1"), read_wanted("counter@^2")])
    assert not folder.exists()


def test_no_version_that_does_for_both_is_explained_with_both(growing, folder):
    act = installation(growing, folder)
    with pytest.raises(NoVersionFitsError, match=r"counter >=1, <1\.0\.0|counter >=1, \^1\.4 is"):
        act.install([read_wanted("counter@>=1"), read_wanted("counter@^1.4")])


def test_the_version_that_does_for_both_is_installed(growing, folder):
    for version in ("1.4.0", "2.0.0"):
        growing.add("counter", version)
    act = installation(growing, folder)
    act.install([read_wanted("counter@<2"), read_wanted("counter@>=1.1"), read_wanted("counter")])
    assert versions(folder) == {"counter": "1.4.0"}


# Versions that can't be used


def unreadable(version):
    return replace(version, dependencies=(Dependency("other", "a kind of requirement to come"),))


def test_what_a_registry_has_and_can_not_be_used_is_named(growing, folder):
    growing.change("counter", unreadable)
    with pytest.raises(InstallError) as caught:
        installation(growing, folder).install([read_wanted("counter")])
    said = str(caught.value)
    assert "no registry has" not in said
    assert "the registry has it, but in no version that can be used here" in said
    assert "its version 1.0.0 can't be used here" in said
    assert growing.registry.url in said


def test_newer_versions_that_can_not_be_used_are_named_where_the_others_do_not_fit(growing, folder):
    growing.add("counter", "2.0.0")
    growing.change("counter", unreadable)
    act = installation(growing, folder)
    with pytest.raises(NoVersionFitsError, match=r"version 2\.0\.0 can't be used here"):
        act.install([read_wanted("counter@^2")])
    act.install([read_wanted("counter")])
    assert versions(folder) == {"counter": "1.0.0"}


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"min_nebula_version": "99.0.0"}, r"counter 1\.0\.0 needs nebula_lab >=99\.0\.0"),
        ({"api_version": 99}, r"counter 1\.0\.0 is written for version 99 of the plugin API"),
        ({"yanked": "Counts wrongly."}, r"counter 1\.0\.0 was withdrawn: Counts wrongly"),
    ],
)
def test_why_the_only_version_does_not_fit_here_is_said(growing, folder, field, said):
    growing.change("counter", lambda one: replace(one, **field))
    with pytest.raises(NoVersionFitsError, match=said):
        installation(growing, folder).install([read_wanted("counter")])
