"""A manager whose plugins come from a registry."""

from __future__ import annotations

import os
import shutil
import traceback
from pathlib import Path

import pytest
from msgspec.structs import replace
from registry_world import IMPATIENT, serving, write_package, write_plugin

from nebula_lab import PluginManager
from nebula_lab.discovery import read_descriptor
from nebula_lab.errors import DiscoveryError, LoadFailedError, SignatureError
from nebula_lab.model import PluginConfig, SandboxMode, SecurityConfig
from nebula_lab.model.lock import read_lock
from nebula_lab.registry.building.build import build
from nebula_lab.registry.discovering import RegistryDiscoverer
from nebula_lab.registry.format.coding import encoded, read_plugin
from nebula_lab.registry.format.documents import Rights
from nebula_lab.runtime.locking import relock
from nebula_lab.trust.collecting import collect
from nebula_lab.trust.key_file import signer_from_file
from nebula_lab.trust.key_making import make_key
from nebula_lab.trust.signing import sign


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Everything that is kept, for this test alone."""
    monkeypatch.setenv("NEBULA_LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def manager_of(registry, **more) -> PluginManager:
    """Its plugins run in this process unless a test says otherwise: that is no matter here."""
    security = SecurityConfig(sandbox=SandboxMode.NONE, **more)
    return PluginManager(PluginConfig(discovery=registry, hot_reload=False, security=security))


def found_in(server, home, mode="plain"):
    discoverer = RegistryDiscoverer(server.registry(mode), home=home, patience=IMPATIENT)
    return discoverer, discoverer.discover()


def test_plugins_are_listed_without_their_archives(served, home):
    _, result = found_in(served, home, "half-0")
    assert {(one.id, str(one.version)) for one in result.descriptors} == {
        ("adder", "0.3.0"),
        ("counter", "1.1.0"),
        ("words", "2.0.0"),
    }
    assert result.problems == ()
    assert not served.asked("half-0", ".zip")


def test_what_is_known_of_a_plugin_is_what_its_files_say(served, home):
    discoverer, result = found_in(served, home)
    counter = next(one for one in result.descriptors if one.id == "counter")
    assert counter.metadata.description == "Counts things."
    assert not counter.path.exists()
    collected = discoverer.collect(counter)
    assert collected.contents["counter.py"] == counter.path.read_bytes()


def test_a_plugin_of_a_registry_runs(served, home):
    with PluginManager(PluginConfig(discovery=served.registry(), hot_reload=False)) as plugins:
        assert plugins.execute("adder", "version") == "0.3.0"
        loaded = {one.id for one in plugins.list_plugins() if one.loaded_at}
        assert loaded == {"adder", "counter"}


def test_the_environment_that_a_plugin_asks_for_is_known_before_it_is_here(tmp_path, home):
    asked = {"requires": ">=3.11", "dependencies": ["shape>=2"]}
    write_plugin(tmp_path / "plugins", "shaped", python=asked)
    build(tmp_path / "plugins", tmp_path / "registry")
    with serving(tmp_path / "registry") as server:
        discoverer, result = found_in(server, home)
        (shaped,) = result.descriptors
        assert (shaped.python.requires, shaped.python.dependencies) == (">=3.11", ("shape>=2",))
        discoverer.collect(shaped)  # which holds the files to what was said of them
        assert read_descriptor(shaped.path).python == shaped.python


def test_what_was_loaded_once_runs_while_the_registry_is_down(built, home):
    with serving(built) as server:
        registry = server.registry()
        with manager_of(registry) as plugins:
            plugins.load_plugin("counter")
    with manager_of(registry) as plugins:
        [note] = [one for one in plugins.problems if "stands for it" in one.message]
        assert note.severity == "note"
        assert plugins.execute("counter", "version") == "1.1.0"
        with pytest.raises(LoadFailedError, match="can't be had"):
            plugins.load_plugin("words")


def test_a_registry_that_is_down_is_no_place_to_search(built, home):
    with serving(built) as server:
        registry = server.registry()
    with pytest.raises(DiscoveryError, match="can't be reached"):
        manager_of(registry)


def test_a_reload_takes_the_version_that_the_registry_has_then(tmp_path, home):
    plugins_folder, out = tmp_path / "plugins", tmp_path / "out"
    write_plugin(plugins_folder, "counter", "1.0.0")
    build(plugins_folder, out)
    with serving(out) as server, manager_of(server.registry()) as plugins:
        assert plugins.execute("counter", "version") == "1.0.0"
        write_plugin(plugins_folder, "counter", "1.1.0")
        build(plugins_folder, out)
        plugins.reload_plugin("counter")
        assert plugins.execute("counter", "version") == "1.1.0"
        plugins.rollback_plugin("counter")
        assert plugins.execute("counter", "version") == "1.0.0"


def test_files_that_are_there_already_are_left_alone(served, home):
    """Whoever watches them would see a change in what is laid out anew."""
    discoverer, result = found_in(served, home)
    counter = next(one for one in result.descriptors if one.id == "counter")
    discoverer.collect(counter)
    before = counter.path.stat().st_ino
    discoverer.collect(counter)
    assert counter.path.stat().st_ino == before


def test_a_traceback_leads_to_the_files(tmp_path, home):
    folder, out = tmp_path / "plugins", tmp_path / "out"
    write_package(folder, "words", text="def fail():\n    raise ValueError('here')\n")
    source = folder / "words" / "__init__.py"
    source.write_text(
        source.read_text().replace(
            "        return '1.0.0'", "        from .text import fail\n        fail()"
        )
    )
    build(folder, out)
    with serving(out) as server, manager_of(server.registry()) as plugins:
        with pytest.raises(Exception, match="here") as caught:
            plugins.execute("words", "version")
        place = plugins.descriptor("words").path
        assert str(place) in "".join(traceback.format_exception(caught.value))
        assert (place / "text.py").is_file()


@pytest.mark.parametrize("mode", ["wrong", "half"])
def test_an_archive_that_can_not_be_used_fails_the_load_alone(served, home, mode):
    discoverer, result = found_in(served, home, mode)
    counter = next(one for one in result.descriptors if one.id == "counter")
    with pytest.raises(Exception, match="its files can't be had"):
        discoverer.collect(counter)
    assert not counter.path.exists()


def changed(out: Path, plugin_id: str, change) -> None:
    """Have a registry say something else of a plugin."""
    path = out / "plugins" / f"{plugin_id}.json"
    document = read_plugin(path.read_bytes(), plugin_id, "")
    path.write_bytes(encoded(change(document)))


def with_first(document, **changes):
    first, *others = document.versions
    return replace(document, versions=(replace(first, **changes), *others))


def test_a_yanked_version_is_not_offered(built, tmp_path, home):
    out = shutil.copytree(built, tmp_path / "out")
    changed(out, "counter", lambda one: with_first(one, yanked="It counts wrongly."))
    with serving(out) as server:
        _, result = found_in(server, home)
    counter = next(one for one in result.descriptors if one.id == "counter")
    assert str(counter.version) == "1.0.0"


def test_a_withdrawn_version_is_taken_if_it_is_pinned_or_locked(built, tmp_path, home):
    out = shutil.copytree(built, tmp_path / "out")
    changed(out, "words", lambda one: with_first(one, yanked=""))
    with serving(out) as server:
        config = {"discovery": server.registry().model_dump(), "security": {"sandbox": "None"}}
        with PluginManager({**config, "pins": {"words": "=2.0.0"}}) as plugins:
            assert plugins.execute("words", "version") == "2.0.0"
        with PluginManager(config) as plugins:
            assert "words" not in plugins


def test_versions_of_a_registry_are_chosen_to_go_together(tmp_path, home):
    folder, out = tmp_path / "plugins", tmp_path / "out"
    for version in ("1.0.0", "2.0.0"):
        write_plugin(folder, "counter", version)
        build(folder, out)
    write_plugin(folder, "adder", "1.0.0", dependencies=["counter ^1"])
    build(folder, out)
    with serving(out) as server, manager_of(server.registry()) as plugins:
        assert plugins.execute("counter", "version") == "1.0.0"
        assert plugins.execute("adder", "version") == "1.0.0"
        assert [one for one in plugins.problems if one.severity == "error"] == []


def test_plugins_of_a_registry_can_be_locked(tmp_path, home):
    folder, out, lock = tmp_path / "plugins", tmp_path / "out", tmp_path / "nebula.lock"
    write_plugin(folder, "counter", "1.0.0")
    build(folder, out)
    with serving(out) as server:
        config = PluginConfig.model_validate(
            {
                "discovery": server.registry().model_dump(),
                "security": {"sandbox": "None"},
                "lock_file": lock,
            }
        )
        assert relock(config).changes == ("+ counter 1.0.0",)
        [locked] = read_lock(lock).plugins
        assert (locked.origin, locked.place) == ("registry", server.url())
        write_plugin(folder, "counter", "1.1.0")
        write_plugin(folder, "other")
        build(folder, out)
        with PluginManager(config.model_copy(update={"lock": "locked"})) as plugins:
            assert list(plugins) == ["counter"]
            assert plugins.execute("counter", "version") == "1.0.0"


def test_a_version_for_another_nebula_lab_is_passed_over(built, tmp_path, home):
    out = shutil.copytree(built, tmp_path / "out")
    changed(out, "counter", lambda one: with_first(one, min_nebula_version="99.0.0"))
    with serving(out) as server:
        _, result = found_in(server, home)
    assert "1.0.0" in {str(one.version) for one in result.descriptors if one.id == "counter"}


def test_a_version_that_asks_for_what_nobody_knows_is_noted(built, tmp_path, home):
    out = shutil.copytree(built, tmp_path / "out")
    changed(out, "counter", lambda one: with_first(one, security=Rights(("Telepathy",))))
    with serving(out) as server:
        _, result = found_in(server, home)
    assert "1.0.0" in {str(one.version) for one in result.descriptors if one.id == "counter"}
    [note] = result.problems
    assert "1.1.0 can't be used here" in note.message
    assert note.severity == "note"


def test_files_that_ask_for_other_rights_than_was_said_are_not_run(built, tmp_path, home):
    out = shutil.copytree(built, tmp_path / "out")
    changed(out, "counter", lambda one: with_first(one, security=Rights(("Network",))))
    with (
        serving(out) as server,
        manager_of(server.registry()) as plugins,
        pytest.raises(LoadFailedError, match="another list of rights"),
    ):
        plugins.load_plugin("counter")


def test_a_copy_of_the_files_that_was_changed_is_not_what_runs(served, home):
    with manager_of(served.registry()) as plugins:
        plugins.load_plugin("counter")
        place = plugins.descriptor("counter").path
    place.write_text(place.read_text().replace("return '1.1.0'", "return 'changed'"))
    with manager_of(served.registry()) as plugins:
        assert plugins.execute("counter", "version") == "1.1.0"


def test_signatures_hold_for_plugins_of_a_registry(tmp_path, home):
    folder, out, key = tmp_path / "plugins", tmp_path / "out", tmp_path / "key"
    line = make_key(key, "", "somebody")
    write_plugin(folder, "unsigned")
    path = write_package(folder, "signed")
    sign(collect(read_descriptor(path)), signer_from_file(key, ask=lambda: ""))
    build(folder, out)
    document = read_plugin((out / "plugins" / "signed.json").read_bytes(), "signed", "")
    assert document.versions[0].signed_by.startswith("SHA256:")
    trusting = {"verify_signature": True, "trusted_keys": (line,)}
    with serving(out) as server, manager_of(server.registry(), **trusting) as plugins:
        assert plugins.execute("signed", "version") == "1.0.0"
        with pytest.raises(SignatureError, match="not signed"):
            plugins.load_plugin("unsigned")


def test_copies_that_nobody_has_used_for_long_are_removed(served, home):
    discoverer, result = found_in(served, home)
    counter = next(one for one in result.descriptors if one.id == "counter")
    discoverer.collect(counter)
    os.utime(counter.path.parent, (0, 0))
    discoverer.discover()
    assert not counter.path.exists()


class Bars:
    """Notes what is told of progress."""

    def __init__(self):
        self.told = []

    def write(self, stream, text):
        """Plugins print nothing here."""

    def progress(self, label, done, total, text):
        self.told.append((label, done, total, text))


def test_whoever_waits_for_a_registry_sees_how_far_it_is(served, home):
    bars = Bars()
    config = PluginConfig(
        discovery=served.registry(),
        hot_reload=False,
        security=SecurityConfig(sandbox=SandboxMode.NONE),
    )
    with PluginManager(config, output=bars) as plugins:
        place = served.registry().url
        assert bars.told == [(f"what {place} has", one, 3, "plugins") for one in (1, 2, 3)]
        bars.told.clear()
        plugins.execute("counter", "version")
        assert {(label, unit) for label, *_, unit in bars.told} == {("counter 1.1.0", "MB")}
        assert bars.told[-1][1] == bars.told[-1][2]
        bars.told.clear()
        plugins.reload_plugin("counter")
        assert [one for one in bars.told if one[3] == "MB"] == [], "its archive is here"
