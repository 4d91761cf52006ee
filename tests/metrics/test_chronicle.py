"""What is kept of events and of memory, and how much of it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from nebula_lab.errors import ExitReport, LoadFailedError
from nebula_lab.metrics import Chronicle, MomentKind
from nebula_lab.metrics.chronicle import MOST_MOMENTS, MOST_SAMPLED, MOST_SAMPLES
from nebula_lab.model import PluginState, Version
from nebula_lab.model.events import (
    CallsCounted,
    OutputWritten,
    PluginCrashed,
    PluginReloaded,
    PluginRestarted,
    ReloadFailed,
    StateChanged,
)

NOW = datetime.now(UTC)
ONE, TWO = Version.parse("1.0.0"), Version.parse("2.0.0")
ERROR = LoadFailedError("no\nsecond line", plugin_id="it")
STATE = PluginState

KEPT = {
    "loaded": (StateChanged("it", NOW, STATE.LOADING, STATE.LOADED), ""),
    "reloaded": (PluginReloaded("it", NOW, TWO, 0.5, ONE), "1.0.0 → 2.0.0, asked"),
    "reload failed": (ReloadFailed("it", NOW, str(ERROR), ERROR, True), "it: no"),
    "crashed": (PluginCrashed("it", NOW, ExitReport("killed"), True), "killed"),
    "restarted": (PluginRestarted("it", NOW, 0.5, None), ""),
    "suspended": (StateChanged("it", NOW, STATE.ACTIVE, STATE.SUSPENDED), ""),
    "unloaded": (StateChanged("it", NOW, STATE.UNLOADING, STATE.DISCOVERED), ""),
    "failed": (StateChanged("it", NOW, STATE.LOADED, STATE.FAILED, "why\nmore"), "why"),
}


@pytest.mark.parametrize("kind", KEPT)
def test_a_moment_is_kept_of_what_matters(kind):
    chronicle = Chronicle()
    event, text = KEPT[kind]
    chronicle.note(event)
    (moment,) = chronicle.timeline().moments
    assert (moment.plugin_id, moment.at, moment.kind.value, moment.text) == ("it", NOW, kind, text)


def test_each_kind_of_moment_is_tried_here():
    assert set(KEPT) == {kind.value for kind in MomentKind}


def test_nothing_is_kept_of_what_plugins_show_or_of_ticks():
    chronicle = Chronicle()
    chronicle.note(OutputWritten("it", NOW, "stdout", "x"))
    chronicle.note(CallsCounted("", NOW, {}))
    chronicle.note(StateChanged("it", NOW, STATE.LOADED, STATE.ACTIVE))
    assert chronicle.timeline().moments == ()


def test_what_a_plugin_wrote_is_cleaned_and_cut_before_it_is_kept():
    chronicle = Chronicle()
    evil = "\x1b[31m\u202e" + "x" * 1_000_000
    chronicle.note(StateChanged("it", NOW, STATE.LOADED, STATE.FAILED, evil))
    text = chronicle.timeline().moments[0].text
    assert len(text) < 400
    assert not {"\x1b", "\u202e"} & set(text)


def test_the_newest_moments_are_kept():
    chronicle = Chronicle()
    for number in range(MOST_MOMENTS + 5):
        chronicle.note(PluginRestarted(f"p{number}", NOW, 0.1, None))
    moments = chronicle.timeline().moments
    assert (len(moments), moments[0].plugin_id) == (MOST_MOMENTS, "p5")


def test_memory_is_kept_once_where_it_hardly_changes():
    chronicle = Chronicle()
    for memory in (1_000_000, 1_000_001, 1_050_000):
        chronicle.sample("it", memory)
    assert [one.memory for one in chronicle.timeline().memory["it"]] == [1_000_000]


def test_a_plugin_that_has_ended_has_no_memory():
    chronicle = Chronicle()
    chronicle.sample("it", 1_000_000)
    chronicle.note(KEPT["crashed"][0])
    assert [one.memory for one in chronicle.timeline().memory["it"]] == [1_000_000, 0]
    chronicle.note(StateChanged("other", NOW, STATE.ACTIVE, STATE.SUSPENDED))
    assert "other" not in chronicle.timeline().memory


def test_samples_and_plugins_are_bounded():
    chronicle = Chronicle()
    for number in range(MOST_SAMPLED + 5):
        chronicle.sample(f"p{number}", 1)
    for _ in range(MOST_SAMPLES + 5):
        chronicle.note(KEPT["crashed"][0].__class__("p0", NOW, ExitReport("killed"), True))
    memory = chronicle.timeline().memory
    assert (len(memory), len(memory["p0"])) == (MOST_SAMPLED, MOST_SAMPLES)


def test_a_timeline_can_be_had_of_some_plugins():
    chronicle = Chronicle()
    for name in ("a", "b"):
        chronicle.sample(name, 5)
        chronicle.note(PluginRestarted(name, NOW, 0.1, None))
    only = chronicle.timeline().of("a")
    assert ([one.plugin_id for one in only.moments], list(only.memory)) == (["a"], ["a"])


def test_any_thread_may_add_while_others_look():
    chronicle = Chronicle()
    done = threading.Event()

    def add():
        while not done.is_set():
            chronicle.note(KEPT["crashed"][0])
            chronicle.sample("it", 5)

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(200):
            chronicle.timeline()
    finally:
        done.set()
        for thread in threads:
            thread.join()
