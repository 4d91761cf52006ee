"""The component of sandbox Wasm, while it is being built and after."""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from nebula_lab.sandbox.wasm import generic

TIMEOUT = 2.0


@pytest.fixture
def built_by_another(tmp_path, monkeypatch):
    """As if another process were building it: gives what ends that."""
    built = generic.compiled_component()
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    monkeypatch.setenv("NEBULA_LAB_WASM_CACHE", str(cache))
    place = cache / generic._key()
    lock = os.open(place.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)

    def finish():
        made = cache / f"building-{place.name}-x"
        made.mkdir(mode=0o700)
        shutil.copyfile(built, made / built.name)
        (made / built.name).chmod(0o600)
        made.rename(place)
        fcntl.flock(lock, fcntl.LOCK_UN)

    yield finish
    os.close(lock)


def test_the_time_that_building_takes_is_no_part_of_a_call(workshop, built_by_another):
    workshop.plugin("it", "@operation\ndef one(self): return 1")
    with workshop.manager() as plugins, ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        call = pool.submit(plugins.execute, "it", "one", {}, timeout=TIMEOUT)
        while time.monotonic() < began + 1.2 * TIMEOUT:
            assert not call.done()
            time.sleep(0.02)
        built_by_another()
        assert call.result(30) == 1


def test_a_load_waits_for_what_is_being_built(workshop, built_by_another):
    workshop.plugin("it", "@operation\ndef one(self): return 1")
    with workshop.manager(timeout=TIMEOUT) as plugins:
        threading.Timer(0.2, built_by_another).start()
        plugins.load_plugin("it")
        assert plugins["it"].one() == 1


def test_a_call_of_another_plugin_does_not_pay_for_what_is_built(workshop, built_by_another):
    workshop.plugin("it", "@operation\ndef one(self): return 1")
    source = "@operation\ndef ask(self): return self.context.call('it', 'one', {})"
    workshop.plugin("caller", source, dependencies=["it"])
    security = {"sandbox": "None", "sandboxes": {"it": "Wasm"}}
    with workshop.manager(security=security) as plugins, ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        call = pool.submit(plugins.execute, "caller", "ask", {}, timeout=TIMEOUT)
        while time.monotonic() < began + 1.2 * TIMEOUT:
            assert not call.done()
            time.sleep(0.02)
        built_by_another()
        assert call.result(30) == 1


def test_what_is_being_built_is_not_cleared_away(built_by_another):
    made = generic.folder() / f"building-{generic._key()}-y"
    made.mkdir()
    old = generic.folder() / ("0" * 32)
    old.mkdir()
    assert generic.remove_others() == [old.name]
    built_by_another()
    assert generic.remove_others() == [made.name]


def test_each_way_of_compiling_is_kept_by_itself():
    assert generic._key() != generic._key(has_fuel=True)
