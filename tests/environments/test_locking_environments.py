"""What `lock` says of the environments of single plugins."""

from __future__ import annotations

import pytest
from local_wheels import write_wheel

from nebula_lab import PluginConfig
from nebula_lab.discovery import read_descriptor
from nebula_lab.errors import MetadataLoadError
from nebula_lab.model.lock import read_lock
from nebula_lab.runtime.locking import relock

MODULE = "def plugin_entry(): ...\n"


@pytest.fixture
def locked(host_index, plugin_file, tmp_path):
    """Three plugins, two of which agree, locked when there was one version; there are two now."""
    early = [write_wheel(host_index, name, "1.0") for name in ("moving", "other")]
    for plugin_id, needs in (("held", "moving"), ("agreeing", "moving"), ("apart", "other")):
        plugin_file(plugin_id, MODULE, python={"dependencies": [needs]})
    config = PluginConfig(plugin_dir=tmp_path / "plugins", lock_file=tmp_path / "nebula.lock")
    relock(config)
    late = [write_wheel(host_index, name, "2.0") for name in ("moving", "other")]
    yield config
    for path in (*early, *late):
        path.unlink()


def test_an_upgrade_of_one_plugin_chooses_its_packages_anew_and_no_others(locked):
    (said,) = relock(locked, ["held"]).changes
    assert said.startswith("~ environment of moving")
    found = {
        package.name: package.version
        for one in read_lock(locked.lock_path).environments
        for package in one.packages
        if package.name in ("moving", "other")
    }
    assert found == {"moving": "2.0", "other": "1.0"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('python = {dependencies = ["pandas >>2"]}', r"pandas>=2,<3"),
        ('python = {requires = "three"}', r'requires = ">=3\.11"'),
        ('dependencies = ["counter banana"]', r"counter \^1\.2"),
        ('name = ["no", "text"]', "id and version are all that a plugin must say"),
    ],
)
def test_what_is_wrong_in_a_description_has_a_hint_that_fits(tmp_path, line, said):
    (tmp_path / "one.py").write_text(MODULE)
    (tmp_path / "one.toml").write_text(f'id = "one"\nversion = "1.0.0"\n{line}\n')
    with pytest.raises(MetadataLoadError) as caught:
        read_descriptor(tmp_path / "one.py")
    assert caught.match(said)
    assert ("id and version are all" in caught.value.hint) == said.startswith("id and")
