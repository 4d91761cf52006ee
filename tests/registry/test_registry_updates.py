"""Updates: one plugin that its registry does not offer any more holds up no other."""

from __future__ import annotations

import shutil

import pytest
from msgspec.structs import replace
from registry_world import installation, serving, versions, write_plugin

from nebula_lab.errors import EditedFilesError, NoVersionFitsError, RegistryAnswerError
from nebula_lab.model import SecurityConfig
from nebula_lab.registry.building.build import build
from nebula_lab.registry.installing.install import Installation
from nebula_lab.registry.installing.updating import update
from nebula_lab.registry.installing.wanted import read_wanted
from nebula_lab.views.installing import install_view

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def pair(growing, folder):
    """Two plugins that are installed; of one there is a newer version."""
    growing.add("words", "1.0.0")
    act = installation(growing, folder)
    act.install([read_wanted("counter"), read_wanted("words")])
    growing.add("words", "1.1.0")
    return growing


def withdrawn(version):
    return replace(version, yanked="Counts wrongly.")


def test_a_plugin_that_was_withdrawn_stays_and_the_others_are_updated(pair, folder):
    pair.change("counter", withdrawn)
    report = update(installation(pair, folder))
    assert versions(folder) == {"counter": "1.0.0", "words": "1.1.0"}
    [note] = report.notes
    assert note.startswith("counter stays at 1.0.0: ")
    assert note.endswith("1.0.0 was withdrawn: Counts wrongly.")


def test_a_plugin_that_is_gone_stays_and_the_others_are_updated(pair, folder):
    (pair.served.folder / "plugins" / "counter.json").unlink()
    report = update(installation(pair, folder))
    assert versions(folder) == {"counter": "1.0.0", "words": "1.1.0"}
    assert report.notes == (
        f"counter stays at 1.0.0: {pair.registry.url} has no such plugin any more",
    )


def test_a_plugin_for_which_nothing_suits_any_more_stays(pair, folder):
    installation(pair, folder).install([read_wanted("counter@^1")])
    path = pair.served.folder / "plugins" / "counter.json"
    pair.add("counter", "2.0.0")
    text = path.read_text()
    assert '"1.0.0"' in text
    path.write_text(text.replace('"1.0.0"', '"3.0.0"'))
    report = update(installation(pair, folder))
    assert versions(folder) == {"counter": "1.0.0", "words": "1.1.0"}
    assert "has no version that is ^1 any more" in report.notes[0]


def test_a_plugin_that_is_somebodys_own_now_stays(pair, folder):
    (folder / "counter.py").unlink()
    write_plugin(folder / "deeper", "counter", "7.0.0")
    shutil.move(folder / "deeper" / "counter.py", folder / "my_counter.py")
    report = update(installation(pair, folder))
    assert versions(folder) == {"counter": "7.0.0", "words": "1.1.0"}
    assert "what is here is not what was installed" in report.notes[0]


def test_a_registry_that_talks_nonsense_holds_up_no_other(pair, folder, tmp_path):
    write_plugin(tmp_path / "more", "far", "1.0.0")
    build(tmp_path / "more", tmp_path / "far")
    with serving(tmp_path / "far") as far:
        Installation(folder, (far.registry(),), SecurityConfig()).install([read_wanted("far")])
        (tmp_path / "far" / "plugins" / "far.json").write_text("<!doctype html>")
        report = update(installation(pair, folder))
        with pytest.raises(RegistryAnswerError):
            update(installation(pair, folder), ["far"])
    assert versions(folder) == {"counter": "1.0.0", "far": "1.0.0", "words": "1.1.0"}
    assert [one.partition(":")[0] for one in report.notes] == ["far stays at 1.0.0"]


def test_a_withdrawn_version_is_left_for_another_that_suits(pair, folder):
    pair.add("counter", "1.1.0")
    installation(pair, folder).install([read_wanted("counter@1.1.0")])
    installation(pair, folder).install([read_wanted("counter")])
    pair.change("counter", withdrawn)
    update(installation(pair, folder))
    assert versions(folder)["counter"] == "1.0.0"


def test_a_withdrawn_version_that_another_needs_stays_and_holds_up_nothing(pair, folder):
    pair.add("counter", "1.1.0")
    pair.add("needy", "1.0.0", dependencies=["counter =1.1.0"])
    installation(pair, folder).install([read_wanted("needy"), read_wanted("counter")])
    pair.change("counter", withdrawn)
    report = update(installation(pair, folder))
    assert versions(folder) == {"counter": "1.1.0", "needy": "1.0.0", "words": "1.1.0"}
    assert report.notes == (
        "counter stays at 1.1.0, which was withdrawn: no other version of it goes together with "
        "the rest",
    )


def test_a_file_that_was_removed_comes_again_with_an_update(pair, folder):
    (folder / "counter.py").unlink()
    update(installation(pair, folder))
    assert versions(folder) == {"counter": "1.0.0", "words": "1.1.0"}


def test_what_stays_is_not_left_without_what_it_needs(pair, folder):
    write_plugin(folder, "mine", dependencies=["words =1.0.0"])
    update(installation(pair, folder))
    assert versions(folder)["words"] == "1.0.0"
    with pytest.raises(NoVersionFitsError, match=r"mine 1\.0\.0 needs words =1\.0\.0"):
        installation(pair, folder).install([read_wanted("words@1.1.0")])


def test_a_plugin_that_somebody_has_edited_stays_unless_it_is_named(pair, folder):
    pair.add("counter", "1.1.0")
    (folder / "counter.py").write_text((folder / "counter.py").read_text() + "# mine\n")
    report = update(installation(pair, folder))
    assert versions(folder) == {"counter": "1.0.0", "words": "1.1.0"}
    assert report.notes[0].startswith("counter stays at 1.0.0: counter.py was edited here")
    with pytest.raises(EditedFilesError):
        update(installation(pair, folder), ["counter"])
    update(installation(pair, folder, replace=True))
    assert versions(folder)["counter"] == "1.1.0"


def test_a_plugin_that_was_edited_and_is_up_to_date_is_not_spoken_of(pair, folder):
    (folder / "counter.py").write_text((folder / "counter.py").read_text() + "# mine\n")
    assert update(installation(pair, folder)).notes == ()


def test_the_rights_that_come_with_a_plugin_are_said_and_those_that_an_update_adds(growing, folder):
    network = {"capabilities": ["Network"], "allowed_hosts": ["127.0.0.1"]}
    growing.add("asking", "1.0.0", security=network)
    report = installation(growing, folder).install([read_wanted("asking")])
    assert install_view(report).text == "Installed asking 1.0.0. Its rights: net."
    more = {**network, "capabilities": ["Network", "FileSystem"]}
    growing.add("asking", "1.1.0", security=more)
    [arrival] = update(installation(growing, folder)).arrivals
    assert (arrival.rights, arrival.more_rights) == (("net", "all files"), ("all files",))
    growing.add("asking", "1.2.0", security=more)
    [arrival] = update(installation(growing, folder)).arrivals
    assert arrival.more_rights == ()


def test_what_the_configuration_does_not_grant_is_no_right(growing, folder):
    growing.add("asking", "1.0.0", security={"capabilities": ["Network", "ProcessSpawn"]})
    security = SecurityConfig(capabilities=("Network",))
    act = Installation(folder, (growing.registry,), security)
    [arrival] = act.install([read_wanted("asking")]).arrivals
    assert arrival.rights == ("net",)
