"""What a hostile component does comes to nothing but a failed call of its own."""

from __future__ import annotations

import threading
import time

import pytest
from component_lab import ComponentLab

from nebula_lab.errors import (
    ExecutionFailedError,
    PluginCrashedError,
    PluginError,
    PluginTimeoutError,
)


def test_an_endless_loop_ends_at_its_deadline(begun):
    with pytest.raises(PluginTimeoutError) as stopped:
        begun.ask("spin", timeout=0.3)
    assert "It was interrupted." in str(stopped.value)


def test_the_instance_after_a_stop_has_the_state_that_was_saved_last(begun):
    begun.ask("add", n=7)
    begun.plugins.reload_plugin("hostile")  # which saves it
    begun.ask("add", n=100)
    with pytest.raises(PluginTimeoutError):
        begun.ask("spin", timeout=0.2)
    assert begun.ask("add", n=0) in (7, 107)  # or what a checkpoint saved meanwhile


def test_a_stop_costs_no_restart(begun):
    before = {one.id: one.restarts for one in begun.plugins.list_plugins()}["hostile"]
    with pytest.raises(PluginTimeoutError):
        begun.ask("spin", timeout=0.2)
    begun.ask("add", n=0)
    after = {one.id: one.restarts for one in begun.plugins.list_plugins()}["hostile"]
    assert after == before


def test_a_stream_that_does_not_stop_when_told_is_stopped(begun):
    items = begun.plugins.execute("hostile", "stream_and_spin", {})
    assert next(items) == 1
    items.close()
    assert isinstance(begun.ask("add", n=0), int)


def test_an_instance_that_was_stopped_gives_its_memory_back(begun):
    begun.fresh()
    there = begun.ask("eat_memory")
    with pytest.raises(PluginTimeoutError):
        begun.ask("spin", timeout=0.05)
    assert begun.ask("eat_memory") >= there - 1
    begun.fresh()


def test_a_process_survives_the_stopping_of_many_streams(begun):
    before = {one.id: one.restarts for one in begun.plugins.list_plugins()}["hostile"]
    for _ in range(5):
        items = begun.plugins.execute("hostile", "stream_and_spin", {})
        next(items)
        items.close()
    after = {one.id: one.restarts for one in begun.plugins.list_plugins()}["hostile"]
    assert after == before


def test_a_loop_in_its_start_fails_its_load(tmp_path):
    lab = ComponentLab(
        "Process",
        tmp_path / "plugins",
        timeout=1.0,
        global_config={"hostile": {"spin_at_start": True}},
    )
    with lab.plugins, pytest.raises(PluginError, match="hostile"):
        lab.plugins.load_plugin("hostile")


def test_a_refusal_in_its_start_fails_its_load_with_its_words(tmp_path):
    lab = ComponentLab(
        "None", tmp_path / "plugins", global_config={"hostile": {"fail_at_start": True}}
    )
    with lab.plugins, pytest.raises(PluginError, match="NotToday"):
        lab.plugins.load_plugin("hostile")


@pytest.mark.parametrize(
    ("operation", "words"),
    [("trap", "unreachable"), ("recurse", "out of bounds"), ("no_utf8", "utf-8")],
)
def test_a_trap_is_a_crash_that_says_what_it_was(begun, operation, words):
    with pytest.raises(PluginCrashedError) as crashed:
        begun.ask(operation)
    assert words in str(crashed.value).lower()
    assert begun.ask("add", n=1) > 0


def test_what_was_printed_before_a_trap_is_shown(begun):
    with pytest.raises(PluginCrashedError):
        begun.ask("trap")
    assert "about to trap" in begun.heard.text["stdout"]


def test_memory_has_an_end_that_it_can_see(begun):
    assert begun.ask("eat_memory") <= 64
    begun.fresh()


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("no_json", "its result is not JSON"),
        ("deep_json", "its result is not JSON"),
    ],
)
def test_a_result_that_is_no_json_fails_the_call(begun, operation, words):
    with pytest.raises(ExecutionFailedError, match=words):
        begun.ask(operation)
    assert begun.ask("add", n=0) == 0


def test_a_result_without_measure_comes_to_nothing(begun):
    with pytest.raises(PluginError):
        begun.ask("huge_result")
    begun.fresh()
    assert begun.ask("add", n=1) == 1


def test_an_item_that_is_no_json_fails_the_stream(begun):
    with pytest.raises(ExecutionFailedError, match="an item of its stream is not JSON"):
        list(begun.plugins.execute("hostile", "stream_no_json", {}))


def test_other_plugins_answer_while_it_computes(begun):
    failed = []
    spinning = threading.Thread(target=lambda: failed.append(_stopped(begun)))
    spinning.start()
    try:
        until = time.monotonic() + 10
        while not failed and time.monotonic() < until:
            assert begun.plugins.execute("neighbour", "ping", {}) == "pong"
    finally:
        spinning.join()
    assert failed == [True]


def _stopped(lab):
    try:
        lab.ask("spin", timeout=0.5)
    except PluginTimeoutError:
        return True
    return False


def test_a_call_can_be_cancelled_from_outside(begun):
    cancelled = []

    def run():
        try:
            begun.ask("spin", timeout=0.2)
        except PluginTimeoutError as error:
            cancelled.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(cancelled) == 2
    assert isinstance(begun.ask("add", n=0), int)
