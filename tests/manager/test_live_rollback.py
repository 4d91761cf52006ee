"""Going back to a version that served before."""

from __future__ import annotations

import os
import signal

import pytest
from counting_plugin import counter

from nebula_lab.errors import PluginError, VersionNotFoundError


def write(folder, version: int) -> None:
    folder.plugin("counter", counter(version), version=f"1.{version}.0")


IN_A_PROCESS = pytest.mark.parametrize("sandbox", ["Process"])


@pytest.fixture
def sandbox():
    """Where a version comes from is the same everywhere; some tests are about processes."""
    return "None"


@pytest.fixture
def plugins(folder, wait_until, sandbox):
    """A manager whose plugin has had the versions 1.1.0, 1.2.0 and 1.3.0."""
    write(folder, 1)
    with folder.manager(sandbox) as manager:
        manager["counter"].up()
        for version in (2, 3):
            wait_until(lambda n=version: len(manager.plugin_history("counter")) == n - 1, "noted")
            write(folder, version)
            manager.reload_plugin("counter")
        wait_until(lambda: len(manager.plugin_history("counter")) == 3, "all are noted")
        yield manager


def versions(manager) -> list[str]:
    return [one.version for one in manager.plugin_history("counter")]


def test_the_history_has_the_newest_first(plugins):
    assert versions(plugins) == ["1.3.0", "1.2.0", "1.1.0"]


@pytest.mark.parametrize("sandbox", ["Process", "None"])
def test_a_rollback_goes_one_back_and_keeps_the_state(plugins):
    assert plugins.rollback_plugin("counter").version == "1.2.0"
    assert plugins["counter"].up() == [2, 2]
    assert str(plugins.descriptor("counter").version) == "1.2.0"


def test_another_one_goes_further_back(plugins):
    plugins.rollback_plugin("counter")
    plugins.rollback_plugin("counter")
    assert plugins["counter"].up() == [1, 2]


def test_there_is_an_end_to_that(plugins):
    plugins.rollback_plugin("counter", "1.1.0")
    with pytest.raises(VersionNotFoundError, match="no version before"):
        plugins.rollback_plugin("counter")
    assert plugins["counter"].up() == [1, 2]


def test_a_version_can_be_named_by_its_digest(plugins):
    oldest = plugins.plugin_history("counter")[-1]
    plugins.rollback_plugin("counter", oldest.short_digest)
    assert plugins["counter"].up()[0] == 1


def test_one_that_is_not_there_is_refused_with_those_that_are(plugins):
    with pytest.raises(VersionNotFoundError, match=r"1\.3\.0.*1\.2\.0"):
        plugins.rollback_plugin("counter", "9.9.9")


def test_the_file_on_disk_stays_and_a_reload_goes_back_to_it(plugins):
    plugins.rollback_plugin("counter", "1.1.0")
    plugins.reload_plugin("counter")
    assert plugins["counter"].up()[0] == 3


@IN_A_PROCESS
def test_after_a_crash_it_is_still_the_earlier_version(plugins, wait_until):
    plugins.rollback_plugin("counter", "1.1.0")
    pid = plugins.list_plugins()[0].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: plugins.list_plugins()[0].pid not in (pid, None), "another process")
    assert plugins["counter"].up()[0] == 1


@IN_A_PROCESS
def test_after_it_was_suspended_too(plugins):
    plugins.rollback_plugin("counter", "1.1.0")
    plugins.suspend_plugin("counter")
    assert plugins["counter"].up()[0] == 1


def test_once_unloaded_it_is_read_from_disk_again(plugins):
    plugins.rollback_plugin("counter", "1.1.0")
    plugins.unload_plugin("counter")
    plugins.rediscover()
    assert plugins["counter"].up()[0] == 3


@IN_A_PROCESS
def test_one_that_failed_can_be_rolled_back(plugins, folder):
    plugins.unload_plugin("counter")
    folder.plugin("counter", "def initialize(self, config): raise LookupError('no')")
    plugins.rediscover()
    with pytest.raises(PluginError):
        plugins.load_plugin("counter")
    plugins.rollback_plugin("counter", "1.2.0")
    assert plugins["counter"].up() == [2, 1]


@IN_A_PROCESS
def test_the_history_outlives_the_manager(plugins, folder):
    plugins.close()
    with folder.manager() as another:
        assert versions(another) == ["1.3.0", "1.2.0", "1.1.0"]
        another.rollback_plugin("counter", "1.1.0")
        assert another["counter"].up() == [1, 1]


def test_what_was_tried_and_did_not_come_up_is_not_in_the_history(plugins, folder):
    folder.plugin("counter", "def initialize(self, config): raise LookupError('no')")
    with pytest.raises(PluginError):
        plugins.reload_plugin("counter")
    assert versions(plugins) == ["1.3.0", "1.2.0", "1.1.0"]


def test_a_version_that_served_again_comes_first(plugins, folder, wait_until):
    write(folder, 1)
    plugins.reload_plugin("counter")
    wait_until(lambda: versions(plugins) == ["1.1.0", "1.3.0", "1.2.0"], "it is first")
    assert plugins.rollback_plugin("counter").version == "1.3.0"


def test_what_is_no_longer_in_the_store_is_not_in_the_history(plugins):
    store = plugins._engine.archive._store
    oldest = plugins.plugin_history("counter")[-1]
    (store.root / "trees" / oldest.digest).unlink()
    assert versions(plugins) == ["1.3.0", "1.2.0"]


def test_a_damaged_line_of_the_history_is_passed_over(plugins):
    store = plugins._engine.archive._store
    files = [path for path in (store.root / "history").iterdir() if path.name != "lock"]
    for path in files:
        with path.open("ab") as file:
            file.write(b'{"at": 1, "version": "0", "digest": "../../etc/passwd"}\n{"at": 17, "ver')
    assert versions(plugins) == ["1.3.0", "1.2.0", "1.1.0"]


def test_after_half_a_line_the_next_one_is_whole(plugins, folder, wait_until):
    """A disk that was full for a moment."""
    store = plugins._engine.archive._store
    for path in (store.root / "history").iterdir():
        if path.name != "lock":
            path.write_bytes(path.read_bytes() + b'{"at": 17, "ver')
    write(folder, 4)
    plugins.reload_plugin("counter")
    wait_until(lambda: versions(plugins) == ["1.4.0", "1.3.0", "1.2.0", "1.1.0"], "it is noted")


def test_reloads_that_follow_each_other_at_once_are_noted_in_their_order(
    plugins, folder, wait_until
):
    for version in range(4, 12):
        write(folder, version)
        plugins.reload_plugin("counter")
    expected = [f"1.{version}.0" for version in range(11, 0, -1)]
    wait_until(lambda: len(versions(plugins)) == 11, "all are noted")
    assert versions(plugins) == expected
