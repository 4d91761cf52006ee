"""Environments that nobody has used for long stay as long as somebody asks for them."""

from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path

import pytest
from local_wheels import write_wheel

from nebula_lab import PluginConfig, PluginManager
from nebula_lab.cli.failing import run_command
from nebula_lab.cli.main import cli
from nebula_lab.environments.cache_layout import CacheLayout, cache_root
from nebula_lab.environments.upkeep import remove_unused, tidy
from nebula_lab.runtime.environment_needs import asks_still
from nebula_lab.runtime.locking import relock

PLUGIN = "def plugin_entry(): ..."
LONG_AGO = 1_000_000_000  # seconds since 1970
WANTED = {"dependencies": ["wanted"]}


@pytest.fixture
def build(index, tmp_path):
    """Builds the environment of a plugin in this test's folder, as a manager that closes then."""
    write_wheel(index, "wanted", "1.0")
    for one in ("ipykernel", "ipython", "msgspec"):  # no host runs in it
        write_wheel(index, one, "99.0")

    def act(plugin_id, **config):
        config = {"plugin_dir": tmp_path / "plugins", "hot_reload": False, **config}
        with PluginManager(config) as plugins:
            return plugins.build_environment(plugin_id)

    remove_unused(layout(), 0.0)  # of other tests of this run
    yield act


def layout():
    return CacheLayout(cache_root())


def forget_when(environment: Path):
    """As if everything about an environment had been used long ago."""
    os.utime(layout().lock(environment.name), (LONG_AGO, LONG_AGO))
    for answer in layout().answers.iterdir():
        os.utime(answer, (LONG_AGO, LONG_AGO))


def collect(*words):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert run_command(cli, ["env", "gc", *words]) == 0
    return said.getvalue()


def test_one_that_a_plugin_still_asks_for_stays_and_that_is_said(build, plugin_file):
    path = plugin_file("asking", PLUGIN, python=WANTED)
    environment = build("asking")
    forget_when(environment)
    said = collect()
    assert "no environments removed" in said
    assert f"{environment.name[:12]} for asking ({path})" in said
    assert "--all" in said
    kept = json.loads(collect("--json"))["kept"]
    assert kept == {environment.name: [{"id": "asking", "path": str(path)}]}
    assert collect("--all").startswith("1 environment removed")
    assert not environment.exists()


def test_it_keeps_its_packages_too(build, plugin_file, index):
    plugin_file("asking", PLUGIN, python=WANTED)
    environment = build("asking")
    forget_when(environment)
    remove_unused(layout(), 3600.0, asks_still)
    later = write_wheel(index, "wanted", "2.0")
    assert build("asking") == environment
    later.unlink()


def test_what_was_chosen_for_one_that_goes_is_forgotten(build, plugin_file):
    path = plugin_file("asking", PLUGIN, python=WANTED)
    forget_when(build("asking"))
    path.unlink()
    assert remove_unused(layout(), 3600.0, asks_still).environments == 1
    assert not list(layout().answers.iterdir())
    assert not list(layout().users.iterdir())


@pytest.mark.parametrize("python", [None, {"dependencies": ["msgspec"]}])
def test_one_that_its_plugin_does_not_ask_for_any_more_goes(build, plugin_file, python):
    plugin_file("changed", PLUGIN, python=WANTED)
    environment = build("changed")
    forget_when(environment)
    plugin_file("changed", PLUGIN, **({} if python is None else {"python": python}))
    removed = remove_unused(layout(), 3600.0, asks_still)
    assert (removed.environments, removed.wanted) == (1, {})
    assert not environment.exists()


def test_a_plugin_that_got_another_one_has_let_go_of_the_first(build, plugin_file):
    plugin_file("moving", PLUGIN, python=WANTED)
    first = build("moving")
    plugin_file("moving", PLUGIN, python={"dependencies": ["msgspec"]})
    second = build("moving")
    plugin_file("moving", PLUGIN, python=WANTED)  # saved, and not loaded again since
    for one in (first, second):
        forget_when(one)
    remove_unused(layout(), 3600.0, asks_still)
    assert not first.exists()
    assert not second.exists()


def test_a_plugin_that_can_not_be_read_just_now_keeps_its_own(build, plugin_file):
    path = plugin_file("broken", PLUGIN, python=WANTED)
    environment = build("broken")
    forget_when(environment)
    path.write_text("PLUGIN_METADATA = {")
    assert list(remove_unused(layout(), 3600.0, asks_still).wanted) == [environment.name]


def test_one_that_a_lock_file_names_stays_without_the_plugin(build, plugin_file, tmp_path):
    path = plugin_file("held", PLUGIN, python=WANTED)
    lock = tmp_path / "nebula.lock"
    relock(PluginConfig(plugin_dir=path.parent, lock_file=lock))
    environment = build("held", lock_file=lock)
    forget_when(environment)
    path.unlink()
    assert list(remove_unused(layout(), 3600.0, asks_still).wanted) == [environment.name]
    lock.unlink()
    assert remove_unused(layout(), 3600.0, asks_still).environments == 1


def test_what_goes_by_itself_once_a_day_heeds_that_too(build, plugin_file):
    path = plugin_file("asking", PLUGIN, python=WANTED)
    environment = build("asking")
    forget_when(environment)
    tidied = layout().root / "tidied"
    tidied.unlink(missing_ok=True)
    tidy(layout(), asks_still)
    assert environment.is_dir()
    path.unlink()
    tidied.unlink()
    tidy(layout(), asks_still)
    assert not environment.exists()


def test_a_note_that_is_damaged_keeps_nothing(build, plugin_file):
    plugin_file("noted", PLUGIN, python=WANTED)
    environment = build("noted")
    forget_when(environment)
    (note,) = layout().users.iterdir()
    note.write_text("{")
    assert remove_unused(layout(), 3600.0, asks_still).environments == 1
    assert not environment.exists()
