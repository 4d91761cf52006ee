"""Plugins whose folder goes, and a store that is cleaned, while they are reloaded and restarted."""

from __future__ import annotations

import shutil
import threading

import pytest

from nebula_lab.errors import PluginCrashedError, PluginError, StoreError
from nebula_lab.model.events import WatchNoted
from nebula_lab.trust.store import ContentStore

COUNTER = """
def initialize(self, config):
    self.count = 0
    START
@operation
def up(self) -> list[int]:
    self.count += 1
    return [VERSION, self.count]
@operation
def die(self): os._exit(1)
"""


def counter(version: int, start: str = "") -> str:
    return COUNTER.replace("VERSION", str(version)).replace("START", start)


def crash(plugins) -> None:
    with pytest.raises(PluginCrashedError):
        plugins["counter"].die()


def test_a_reload_needs_the_folder_no_more_once_it_has_read_it(
    folder, callers, tmp_path, wait_until
):
    mark, gate = tmp_path / "mark", tmp_path / "gate"
    folder.plugin("counter", counter(1))
    with folder.manager(hot_reload=False, checkpoint={"calls": 1}) as plugins:
        plugins["counter"].up()
        waiting = (
            f"pathlib.Path({str(mark)!r}).touch()\n"
            f"    while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.002)"
        )
        folder.plugin("counter", counter(2, waiting))
        callers.start(plugins.reload_plugin, "counter")
        wait_until(mark.exists, "the new code starts")
        shutil.rmtree(folder.path)
        gate.touch()
        assert callers.join() == [None]
        assert plugins["counter"].up() == [2, 2]
        crash(plugins)
        assert plugins["counter"].up() == [2, 3]
        with pytest.raises(PluginError, match="counter"):
            plugins.reload_plugin("counter")
        assert plugins["counter"].up() == [2, 4]


def test_a_folder_that_goes_is_noted_and_one_that_comes_back_is_taken(folder, wait_until):
    noted: list[WatchNoted] = []
    folder.plugin("counter", counter(1))
    with folder.manager(checkpoint={"calls": 1}) as plugins:
        plugins.subscribe(noted.append, only=[WatchNoted])
        plugins["counter"].up()
        plugins.watch()
        shutil.rmtree(folder.path)
        wait_until(lambda: noted, "it is noted")
        assert plugins["counter"].up()[0] == 1
        folder.path.mkdir()
        folder.plugin("counter", counter(2))
        wait_until(lambda: plugins["counter"].up()[0] == 2, "the new code serves", 30.0)
        assert plugins["counter"].up()[1] > 2, "with the state"


def test_a_folder_that_comes_and_goes_makes_reloads_fail_in_no_other_way(folder):
    package = folder.path / "pack"
    over = threading.Event()
    strange: list[BaseException] = []

    def come_and_go() -> None:
        number = 0
        while not over.is_set():
            number += 1
            package.mkdir()
            (package / "plugin.toml").write_text('id = "pack"\nversion = "1.0.0"\n')
            (package / "inner.py").write_text(f"VALUE = {number}\n")
            (package / "__init__.py").write_text(
                "from nebula_lab.plugin import Plugin, operation\nfrom .inner import VALUE\n"
                "class It(Plugin):\n    @operation\n    def value(self) -> int: return VALUE\n"
                "def plugin_entry(): return It()\n"
            )
            there.set()
            over.wait(0.01 * (number % 10))  # for long enough to be read, and not
            shutil.rmtree(package)

    there = threading.Event()
    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        assert there.wait(60)
        with folder.manager(hot_reload=False) as plugins:
            served = 0
            for _ in range(20):
                try:
                    plugins.rediscover()
                    plugins.reload_plugin("pack")
                except PluginError:
                    pass
                except BaseException as error:
                    strange.append(error)
                if "pack" in plugins and plugins._engine.catalogue.record("pack").is_up:
                    assert plugins["pack"].value() > 0
                    served += 1
    finally:
        over.set()
        thread.join()
    assert strange == []
    assert served


def test_a_store_that_is_cleaned_all_the_time_keeps_what_is_in_use(folder):
    folder.plugin("counter", counter(1))
    over = threading.Event()
    failed: list[BaseException] = []

    def clean() -> None:
        store = ContentStore()
        while not over.is_set():
            try:
                store.collect_garbage(older_than=-1.0)
            except StoreError as error:
                failed.append(error)
            over.wait(0.001)

    restart = {"max_restarts": 1000, "backoff": 0.001}
    with folder.manager(hot_reload=False, checkpoint={"calls": 1}, restart=restart) as plugins:
        thread = threading.Thread(target=clean)
        thread.start()
        try:
            for version in range(1, 9):
                folder.plugin("counter", counter(version))
                plugins.reload_plugin("counter")
                crash(plugins)
                assert plugins["counter"].up() == [version, version]
        finally:
            over.set()
            thread.join()
    assert failed == []
