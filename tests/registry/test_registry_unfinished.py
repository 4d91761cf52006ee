"""A change that can't be carried out once it has been decided is told as what it is."""

from __future__ import annotations

import pytest
from registry_world import contents

from nebula_lab import PluginConfig, PluginManager
from nebula_lab.errors import InstallError, UnfinishedChangeError, UnfinishedInstallError
from nebula_lab.registry.installing.folder import PluginFolder, finish_installs
from nebula_lab.registry.publishing.changes import Change, finish_change


@pytest.fixture
def change(tmp_path):
    private = tmp_path / ".private"
    private.mkdir()
    change = Change(tmp_path, private)
    change.put("one.py", b"1")
    change.put("two.py", b"2")
    return change


def test_a_change_that_is_stopped_after_it_was_decided_says_that_it_has_happened(tmp_path, change):
    (tmp_path / "two.py").mkdir()
    with pytest.raises(UnfinishedChangeError, match="has happened, but not every file"):
        change.commit()
    assert (tmp_path / "one.py").read_bytes() == b"1"
    (tmp_path / "two.py").rmdir()
    assert finish_change(tmp_path, tmp_path / ".private")
    assert (tmp_path / "two.py").read_bytes() == b"2"


def test_a_change_that_can_not_be_decided_has_not_happened(tmp_path, change):
    (tmp_path / ".private" / "change.json").mkdir()
    with pytest.raises(OSError, match="directory"):
        change.commit()
    (tmp_path / ".private" / "change.json").rmdir()
    assert not finish_change(tmp_path, tmp_path / ".private")
    assert contents(tmp_path) == {}


@pytest.fixture
def unfinished(tmp_path):
    """A folder into which something was installed that is not in its place yet."""
    folder = tmp_path / "plugins"
    with pytest.raises(UnfinishedInstallError) as caught, PluginFolder(folder).changing() as change:
        change.put("one.py", b"PLUGIN_METADATA = {'id': 'one', 'version': '1.0.0'}")
        (folder / "one.py" / "mine").mkdir(parents=True)
    assert isinstance(caught.value, InstallError)
    assert "Nothing was" not in str(caught.value)
    assert "finishes it" in caught.value.hint
    return folder


def test_whoever_comes_next_finishes_what_was_decided(unfinished):
    (unfinished / "one.py" / "mine").rmdir()
    (unfinished / "one.py").rmdir()
    finish_installs(unfinished)
    assert (unfinished / "one.py").is_file()
    assert not PluginFolder(unfinished).is_unfinished


def test_a_manager_starts_with_a_folder_that_can_not_be_finished(unfinished):
    (unfinished / "other.py").write_text("PLUGIN_METADATA = {'id': 'other', 'version': '1.0.0'}")
    with PluginManager(PluginConfig(plugin_dir=unfinished)) as plugins:
        assert [one.id for one in plugins.list_plugins()] == ["other"]
        assert [one for one in plugins.problems if "can't be written" in one.message]
