"""Versions that are not in the folder any more, and that the content store still has."""

from __future__ import annotations

import pytest

from nebula_lab import PluginConfig, PluginManager
from nebula_lab.errors import LockMismatchError, PluginError
from nebula_lab.model.lock import read_lock
from nebula_lab.model.release import Origin
from nebula_lab.runtime.locking import relock

SAYS = """from nebula_lab.plugin import Plugin, operation
PLUGIN_METADATA = {{"id": "core", "version": {version!r}}}

class It(Plugin):
    @operation
    def version(self):
        return PLUGIN_METADATA["version"] + {more!r}

def plugin_entry():
    return It()
"""


@pytest.fixture
def core(tmp_path, monkeypatch):
    """A plugin of which 1.0.0, then 1.1.0 ran, and then 2.0.0 came into the place of these."""
    monkeypatch.setenv("NEBULA_LAB_HOME", str(tmp_path / "home"))
    (tmp_path / "plugins").mkdir()

    class Core:
        file = tmp_path / "plugins" / "core.py"

        def put(self, version, more=""):
            self.file.write_text(SAYS.format(version=version, more=more))

        def config(self, **more):
            table = {"plugin_dir": tmp_path / "plugins", "security": {"sandbox": "None"}}
            return PluginConfig.model_validate({**table, "hot_reload": False, **more})

        def manager(self, **more):
            return PluginManager(self.config(**more))

        def run(self, version, more=""):
            self.put(version, more)
            with self.manager() as plugins:
                assert plugins.execute("core", "version") == version + more

    core = Core()
    core.run("1.0.0")
    core.run("1.1.0")
    core.put("2.0.0")
    return core


@pytest.mark.parametrize(("pin", "version"), [("=1.0.0", "1.0.0"), ("^1", "1.1.0")])
def test_a_pin_takes_an_older_version_from_the_store(core, pin, version):
    with core.manager(pins={"core": pin}) as plugins:
        assert plugins.execute("core", "version") == version
        notes = [one.message for one in plugins.problems]
        assert f"version {version} is not in the folder any more" in notes[-1]
        assert plugins.version_reasons("core").pinned == pin
    assert "2.0.0" in core.file.read_text()


def test_what_is_in_the_folder_and_fits_a_pin_comes_before_the_store(core):
    core.put("1.0.0", " as it is here")
    with core.manager(pins={"core": "^1"}) as plugins:
        assert plugins.execute("core", "version") == "1.0.0 as it is here"


def test_of_one_version_the_store_gives_what_came_up_last(core):
    core.run("1.0.0", " mended")
    core.put("2.0.0")
    with core.manager(pins={"core": "=1.0.0"}) as plugins:
        assert plugins.execute("core", "version") == "1.0.0 mended"


def test_a_reload_and_a_new_search_keep_to_the_pin(core):
    with core.manager(pins={"core": "=1.0.0"}) as plugins:
        plugins.execute("core", "version")
        core.put("3.0.0")
        plugins.reload_plugin("core")
        assert plugins.execute("core", "version") == "1.0.0"


def test_a_pin_that_neither_folder_nor_store_fits_leaves_the_plugin_out(core):
    with core.manager(pins={"core": "=1.5.0"}) as plugins:
        assert plugins.list_plugins() == []
        assert [one for one in plugins.problems if "1.5.0" in str(one)]


def test_the_store_of_another_folder_is_not_taken_from(core, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "core.py").write_text(SAYS.format(version="2.0.0", more=""))
    with core.manager(plugin_dir=tmp_path / "other", pins={"core": "=1.0.0"}) as plugins:
        assert plugins.list_plugins() == []


def test_the_lock_has_what_is_pinned_and_is_held_to_from_the_store(core):
    pinned = core.config(pins={"core": "=1.0.0"})
    relock(pinned)
    [locked] = read_lock(pinned.lock_path).plugins
    assert (locked.version, locked.origin) == ("1.0.0", Origin.STORE)
    with core.manager(lock="locked", lock_file=pinned.lock_path) as plugins:
        assert plugins.execute("core", "version") == "1.0.0"


def test_a_lock_is_held_to_when_the_folder_has_moved_on(core):
    core.put("1.1.0")
    config = core.config()
    relock(config)
    core.put("2.0.0")
    with core.manager(lock="locked", lock_file=config.lock_path) as plugins:
        assert plugins.execute("core", "version") == "1.1.0"
    core.file.unlink()
    with core.manager(lock="locked", lock_file=config.lock_path) as plugins:
        assert plugins.execute("core", "version") == "1.1.0"


def test_other_files_of_a_locked_version_are_refused_as_ever(core):
    core.put("1.1.0")
    config = core.config()
    relock(config)
    core.put("1.1.0", " edited")
    with pytest.raises(LockMismatchError, match="not as they were locked") as caught:
        core.manager(lock="locked", lock_file=config.lock_path)
    assert "core 1.1.0 has other files" in caught.value.differences[0]


def test_a_lock_that_is_only_preferred_lets_files_change(core):
    core.put("1.1.0")
    config = core.config()
    relock(config)
    core.put("2.0.0")
    with core.manager(lock_file=config.lock_path) as plugins:
        assert plugins.execute("core", "version") == "2.0.0"


def test_what_the_store_has_lost_is_said_to_be_missing(core, tmp_path):
    core.put("1.1.0")
    config = core.config()
    relock(config)
    digest = read_lock(config.lock_path).plugins[0].digest
    core.put("2.0.0")
    [tree] = (tmp_path / "home" / "store" / "trees").rglob(f"*{digest[2:]}")
    tree.unlink()
    with pytest.raises(LockMismatchError) as caught:
        core.manager(lock="locked", lock_file=config.lock_path)
    assert "nor are its files in the content store; here is 2.0.0" in caught.value.differences[0]


def test_files_that_were_damaged_in_the_store_do_not_run(core, tmp_path):
    blobs = [
        path
        for path in (tmp_path / "home" / "store" / "blobs").rglob("*")
        if path.is_file() and b"1.0.0" in path.read_bytes()
    ]
    with core.manager(pins={"core": "=1.0.0"}) as plugins:
        for path in blobs:
            path.chmod(0o600)
            path.write_bytes(path.read_bytes().replace(b"1.0.0", b"6.6.6"))
        with pytest.raises(PluginError):
            plugins.execute("core", "version")


def test_a_plugin_of_a_folder_is_had_as_a_whole(core, tmp_path):
    package = tmp_path / "plugins" / "pack"
    package.mkdir()
    (package / "table.py").write_text("X = 'old'\n")
    source = SAYS.replace('"id": "core"', '"id": "pack"').replace("{more!r}", "table.X")
    for version in ("1.0.0", "2.0.0"):
        (package / "__init__.py").write_text(
            "from . import table\n" + source.format(version=version)
        )
        with core.manager() as plugins:
            assert plugins.execute("pack", "version").startswith(version)
        (package / "table.py").write_text("X = 'new'\n")
    with core.manager(pins={"pack": "=1.0.0"}) as plugins:
        assert plugins.execute("pack", "version") == "1.0.0old"
