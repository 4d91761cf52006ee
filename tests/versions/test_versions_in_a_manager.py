"""Several versions of plugins in one folder, as a manager takes them."""

from __future__ import annotations

import warnings

import pytest

from nebula_lab import PluginConfig, PluginManager, UnenforcedWarning
from nebula_lab.errors import LockError, LockMismatchError, PluginError
from nebula_lab.model.events import PluginDiscovered
from nebula_lab.runtime.locking import relock

SAYS = """
class It(Plugin):
    @operation
    def version(self):
        return PLUGIN_METADATA["version"]
def plugin_entry():
    return It()
"""


class Versions:
    """A folder with a file for each version, and managers on it that run plugins in process."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()

    def put(self, plugin_id, version, *needs, more=""):
        path = self.folder / f"{plugin_id}-{version}.py"
        described = {"id": plugin_id, "version": version, "dependencies": [*needs]}
        path.write_text(
            "from nebula_lab.plugin import Plugin, operation\n"
            f"PLUGIN_METADATA = {described!r}\n{SAYS}\n{more}\n"
        )
        return path

    def config(self, **settings):
        return PluginConfig.model_validate(
            {
                "plugin_dir": self.folder,
                "hot_reload": False,
                "security": {"sandbox": "None"},
                **settings,
            }
        )

    def manager(self, **settings):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnenforcedWarning)
            return PluginManager(self.config(**settings))


@pytest.fixture
def versions(tmp_path):
    folder = Versions(tmp_path / "plugins")
    folder.put("core", "1.0.0")
    folder.put("core", "1.9.0")
    folder.put("core", "2.1.0")
    return folder


def test_the_newest_version_in_the_folder_runs(versions):
    with versions.manager() as plugins:
        assert plugins.execute("core", "version") == "2.1.0"


def test_the_version_that_a_dependent_needs_runs(versions):
    versions.put("app", "1.0.0", "core ^1")
    with versions.manager() as plugins:
        assert plugins.load_order == ["core", "app"]
        assert plugins.execute("core", "version") == "1.9.0"


def test_the_other_versions_are_noted_and_are_no_errors(versions):
    with versions.manager() as plugins:
        problems = plugins.problems
    assert {(one.kind, one.severity) for one in problems} == {("other-version", "note")}
    assert "version 1.9.0 is here too; version 2.1.0 is used" in str(problems)


def test_a_pin_in_the_configuration_decides(versions):
    with versions.manager(pins={"core": "~1.0"}) as plugins:
        assert plugins.execute("core", "version") == "1.0.0"


def test_a_pin_that_nothing_fits_leaves_the_plugin_out_with_the_reason(versions):
    with (
        versions.manager(pins={"core": "^3"}) as plugins,
        pytest.raises(PluginError, match=r"core is pinned to \^3"),
    ):
        plugins.execute("core", "version")


def test_of_two_that_do_not_go_together_the_other_is_left_out_and_explained(versions):
    versions.put("app", "1.0.0", "core ^1")
    versions.put("tool", "1.0.0", "core ^2")
    with versions.manager() as plugins:
        assert plugins.load_order == ["core", "app"]
        (problem,) = [one for one in plugins.problems if one.severity == "error"]
    assert (problem.plugin_id, problem.kind) == ("tool", "no-version-fits")
    assert "app 1.0.0 needs core ^1" in problem.message
    assert "widen its requirement ^2" in problem.cure


def test_what_runs_keeps_its_version_when_a_newer_one_comes(versions):
    with versions.manager() as plugins:
        assert plugins.execute("core", "version") == "2.1.0"
        versions.put("core", "3.0.0")
        plugins.rediscover()
        assert plugins.descriptor("core").path.name == "core-2.1.0.py"
        plugins.unload_plugin("core")
        plugins.rediscover()
        assert plugins.execute("core", "version") == "3.0.0"


def test_what_runs_goes_on_with_another_version_once_its_file_is_gone(versions):
    with versions.manager() as plugins:
        assert plugins.execute("core", "version") == "2.1.0"
        (versions.folder / "core-2.1.0.py").unlink()
        plugins.reload_plugin("core")
        assert plugins.execute("core", "version") == "1.9.0"


def test_a_newer_version_that_is_saved_beside_what_runs_reloads_nothing(versions, wait_until):
    with versions.manager(hot_reload=True) as plugins:
        plugins.load_plugin("core")
        plugins.watch()
        came = []
        plugins.subscribe(lambda event: came.append(event.plugin_id), [PluginDiscovered])
        versions.put("core", "3.0.0")
        versions.put("sentinel", "1.0.0")
        wait_until(lambda: "sentinel" in came, "the search")
        assert plugins.execute("core", "version") == "2.1.0"
        info = next(one for one in plugins.list_plugins() if one.id == "core")
        assert info.reload_count == 0


def test_why_names_who_asks_and_what_speaks_against_newer_versions(versions):
    versions.put("app", "1.0.0", "core ^1")
    with versions.manager() as plugins:
        reasons = plugins.version_reasons("core")
    assert (reasons.version, [one.dependent for one in reasons.asked_by]) == ("1.9.0", ["app"])
    (newer,) = reasons.not_taken
    assert newer.version == "2.1.0"
    assert "app 1.0.0 needs core ^1" in newer.reasons[0]


# Locks


def test_a_locked_version_is_preferred_to_a_newer_one(versions):
    relock(versions.config(pins={"core": "~1.0"}))
    with versions.manager() as plugins:
        assert plugins.execute("core", "version") == "1.0.0"


def test_a_lock_that_does_not_fit_any_more_gives_way_with_a_note(versions):
    relock(versions.config())
    versions.put("app", "1.0.0", "core ^1")
    with versions.manager() as plugins:
        assert plugins.execute("core", "version") == "1.9.0"
        assert "version 2.1.0 is locked, but version 1.9.0 is used" in str(plugins.problems)


def test_a_lock_is_ignored_where_the_configuration_says_so(versions):
    relock(versions.config(pins={"core": "~1.0"}))
    with versions.manager(lock="ignore") as plugins:
        assert plugins.execute("core", "version") == "2.1.0"


def test_locking_again_keeps_what_is_locked_until_it_is_upgraded(versions):
    relock(versions.config(pins={"core": "~1.0"}))
    assert relock(versions.config()).changes == ()
    assert relock(versions.config(), ["core"]).changes == ("~ core 1.0.0 → 2.1.0",)


def test_what_is_as_it_was_locked_runs(versions):
    versions.put("app", "1.0.0", "core ^1")
    relock(versions.config())
    with versions.manager(lock="locked") as plugins:
        assert plugins.execute("core", "version") == "1.9.0"


def _refused(versions, match):
    with pytest.raises(LockMismatchError, match=match):
        versions.manager(lock="locked")


def test_a_changed_file_is_refused_where_plugins_are_to_be_as_locked(versions):
    relock(versions.config())
    versions.put("core", "2.1.0", more="changed = True")
    _refused(versions, r"core 2\.1\.0 has other files than when it was locked")


def test_a_missing_plugin_is_refused_where_plugins_are_to_be_as_locked(
    versions, tmp_path, monkeypatch
):
    relock(versions.config())
    (versions.folder / "core-2.1.0.py").unlink()
    # Elsewhere than the store of the other tests, which has files like these.
    monkeypatch.setenv("NEBULA_LAB_HOME", str(tmp_path / "home"))
    _refused(versions, r"core 2\.1\.0 is locked and is not here, .*; here is 1\.0\.0, 1\.9\.0")


def test_a_further_plugin_is_refused_where_plugins_are_to_be_as_locked(versions):
    relock(versions.config())
    versions.put("extra", "1.0.0")
    _refused(versions, r"extra 1\.0\.0 is here .* and is not locked")


def test_no_lock_file_is_refused_where_plugins_are_to_be_as_locked(versions):
    with pytest.raises(LockError, match="no lock file"):
        versions.manager(lock="locked")


def test_a_reload_of_other_code_is_refused_where_plugins_are_to_be_as_locked(versions):
    relock(versions.config())
    with versions.manager(lock="locked") as plugins:
        plugins.load_plugin("core")
        versions.put("core", "2.1.0", more="changed = True")
        with pytest.raises(LockMismatchError, match="core 2"):
            plugins.reload_plugin("core")
        assert plugins.execute("core", "version") == "2.1.0"


def test_the_lock_file_is_beside_the_configuration(versions, tmp_path):
    file = tmp_path / "deep" / "plugin_resource.toml"
    file.parent.mkdir()
    file.write_text('plugin_dir = "../plugins"\n')
    config = PluginConfig.from_file(file)
    assert config.lock_path == file.with_name("nebula.lock")
    assert config.model_copy(update={"timeout": 3.0}).lock_path == file.with_name("nebula.lock")
    assert versions.config().lock_path == tmp_path / "nebula.lock"
