"""When there is a watch, and when there is none."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from nebula_lab.model.events import PluginDiscovered


def watching_threads():
    names = ("nebula-watch", "nebula-inotify")
    return [thread.name for thread in threading.enumerate() if thread.name in names]


def test_it_begins_by_itself_when_a_plugin_has_been_loaded(live, wait_until):
    live.write("one")
    plugins = live.open()
    status = plugins.watch_status
    assert (status.on, status.running) == (True, False)
    plugins["one"].up()
    wait_until(lambda: plugins.watch_status.plugins == ("one",), "the watch")
    live.saved("one", live.write, "one", 2)
    assert plugins["one"].up() == [2, 2]


def test_what_was_saved_before_it_began_is_taken(live):
    live.write("one")
    plugins = live.open()
    plugins["one"].up()
    live.saved("one", live.write, "one", 2)
    assert plugins["one"].up() == [2, 2]


class _CountedWaits(threading.Event):
    """An event that notes how often somebody has waited for it."""

    count = 0

    def wait(self, timeout=None):
        self.count += 1
        return super().wait(timeout)


def test_it_does_not_begin_while_an_installation_goes_on(live, wait_until, monkeypatch):
    # Its own reloads and those of the installation would be two of the same files.
    live.write("one")
    plugins = live.open()
    watching = plugins._engine.watching
    looks = _CountedWaits()
    monkeypatch.setattr(watching, "_ending", looks)
    monkeypatch.setattr("nebula_lab.runtime.watching.is_idle", lambda _: True)
    with watching.held():
        plugins["one"].up()
        wait_until(lambda: looks.count >= 5, "looks whether it may begin")
        assert not plugins.watch_status.running
    wait_until(lambda: plugins.watch_status.running, "the watch")


def test_without_hot_reload_there_is_none(live):
    live.write("one")
    plugins = live.open(hot_reload=False)
    plugins["one"].up()
    status = plugins.watch_status
    assert (status.on, status.running, watching_threads()) == (False, False, [])


def test_it_can_be_switched_on_and_takes_what_was_saved_before(live):
    live.write("one")
    plugins = live.open(hot_reload=False)
    plugins["one"].up()
    live.write("one", 2)
    live.saved("one", plugins.watch)
    assert plugins["one"].up() == [2, 2]


def test_it_can_be_switched_off_and_ends_its_threads(live):
    live.write("one")
    plugins = live.open()
    plugins["one"].up()
    live.watch()
    assert len(watching_threads()) == 2
    assert not plugins.watch(False).on
    assert watching_threads() == []
    live.write("one", 2)
    plugins.load_plugin("mark")
    assert watching_threads() == []
    assert plugins["one"].up() == [1, 2]


def test_it_can_be_switched_on_without_a_plugin_that_is_loaded(live):
    plugins = live.open()
    status = plugins.watch()
    assert [folder.path for folder in status.folders] == [str(live.folder)]
    live.write("fresh")
    live.wait_for(PluginDiscovered, "fresh")


def test_its_status_says_what_is_watched_and_how(live):
    live.write("one")
    plugins = live.open()
    plugins["one"].up()
    live.watch()
    status = plugins.watch_status
    assert status.plugins == ("mark", "one")
    assert {folder.how for folder in status.folders} <= {"inotify", "both"}


def test_a_plugin_that_was_unloaded_is_watched_no_more(live, wait_until):
    live.write("one")
    plugins = live.open()
    plugins["one"].up()
    live.watch()
    plugins.unload_plugin("one")
    wait_until(lambda: plugins.watch_status.plugins == ("mark",), "the end of it")
    live.write("one", 2)
    live.settle()
    assert plugins["one"].up() == [2, 1]


def test_a_closed_manager_watches_nothing(live):
    live.open()
    live.watch().close()
    assert watching_threads() == []


def test_a_fork_watches_nothing_and_takes_nothing_from_its_parent(live):
    live.write("one")
    plugins = live.open()
    plugins["one"].up()
    live.watch()
    child = os.fork()
    if not child:
        status = 1
        try:
            plugins.close()
            status = int(plugins.watch_status.on)
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    live.saved("one", live.write, "one", 2)
    assert plugins["one"].up() == [2, 2]


def test_nothing_of_it_is_imported_before_a_plugin_is_loaded(tmp_path):
    code = """
import sys
from nebula_lab import PluginManager
with PluginManager(plugin_dir=sys.argv[1]):
    print([name for name in sys.modules if "watchdog" in name or "nebula_lab.watch." in name])
"""
    command = [sys.executable, "-W", "ignore", "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
