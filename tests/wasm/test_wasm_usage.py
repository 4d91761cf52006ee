"""What a machine uses, as metrics tell it."""

from __future__ import annotations

import threading
import time

import pytest

from nebula_lab.sandbox.wasm import footprint
from nebula_lab.views import metrics_table
from nebula_lab.views.quantities import duration, size

MEGABYTE = 10**6
METHODS = """
@operation
def take(self, megabytes: int): self.kept = b"x" * (megabytes * 10**6)
@operation
def burn(self, seconds: float):
    until = time.monotonic() + seconds
    while time.monotonic() < until: pass
"""


@pytest.fixture(scope="module")
def plugins(shared_workshop):
    for name in ("it", "other"):
        shared_workshop.plugin(name, METHODS)
    with shared_workshop.manager() as manager:
        for name in ("it", "other"):
            manager.load_plugin(name)
        yield manager


def _memory(plugins, name):
    return plugins.metrics().plugins[name].memory


def test_what_a_machine_takes_is_counted_as_its_own(plugins):
    before = {name: _memory(plugins, name) for name in ("it", "other")}
    plugins["it"].take(megabytes=30)
    assert _memory(plugins, "it") - before["it"] > 30 * MEGABYTE
    assert _memory(plugins, "other") - before["other"] < MEGABYTE


def test_a_further_machine_takes_a_few_megabytes(plugins):
    assert MEGABYTE < _memory(plugins, "other") < 40 * MEGABYTE


def test_what_it_computes_is_counted(plugins):
    before = plugins.metrics().plugins["other"].cpu_time
    plugins["other"].burn(seconds=0.3)
    assert plugins.metrics().plugins["other"].cpu_time > before


def test_both_are_shown_in_the_table(plugins):
    used = plugins.metrics().plugins["it"]
    row = metrics_table(plugins.metrics()).text.splitlines()[-2]
    assert size(used.memory) in row and duration(used.cpu_time) in row, row


def test_no_memory_of_a_machine_is_left_when_it_has_gone(plugins):
    host = plugins._engine.catalogue.record("other").slots.hosts[0]
    begins = host._resident.machine._memories
    assert begins and begins <= footprint.memories()
    plugins.unload_plugin("other")
    deadline = time.monotonic() + 10
    while footprint.written(begins) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    plugins.load_plugin("other")


def test_memory_that_is_no_machines_is_not_taken_for_one():
    before = footprint.memories()
    thread = threading.Thread(target=lambda: bytearray(50 * MEGABYTE))
    thread.start()
    thread.join()
    assert footprint.memories() == before
