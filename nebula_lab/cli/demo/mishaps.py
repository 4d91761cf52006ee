"""Steps in which plugins die, crash and hang."""

from __future__ import annotations

import os
import signal
import time

from nebula_lab.cli.demo.material import images
from nebula_lab.cli.demo.stage import Stage
from nebula_lab.errors import PluginCrashedError, PluginTimeoutError
from nebula_lab.model.events import PluginCrashed
from nebula_lab.views import error_box

_DEADLINE = 0.5  # seconds for an operation that never returns
_SLACK = 5.0  # seconds in which it must have been stopped, on a machine under load


def kill(stage: Stage) -> None:
    """End a plugin's process from outside."""
    before = stage.pid("thumbnailer")
    if before is None:
        raise ValueError("the thumbnailer has no process of its own to kill")
    os.kill(before, signal.SIGKILL)
    report = stage.event(PluginCrashed, "thumbnailer").report
    stage.expect(report.signal_name == "SIGKILL", f"its end was noticed: {report.reason}")
    image = next(iter(images().values()))
    answer = stage.plugins["thumbnailer"].describe(image=image)
    stage.expect(answer["format"] == "PNG", "the next call was answered")
    after = stage.pid("thumbnailer")
    stage.expect(after not in (None, before), f"in a new process: {before} → {after}")


def crash(stage: Stage) -> None:
    """Let a plugin crash in native code during a call."""
    fact = "the caller is told what happened"
    with stage.expect_error(PluginCrashedError, fact) as caught:
        stage.plugins["crasher"].crash(how="segfault", last_words="reading address 0")
    for error in caught:
        stage.show(error_box(error))
        stage.expect(error.report.signal_name == "SIGSEGV", "the signal is SIGSEGV")
    said = [line.text for line in stage.plugins.logs("crasher")]
    stage.expect("reading address 0" in said, "its last words are in its log")
    stage.expect(stage.plugins["crasher"].ping() == "pong", "the next call was answered")
    stage.expect(stage.plugins["base_resource"].keys() != [], "other plugins noticed nothing")


def time_out(stage: Stage) -> None:
    """Give half a second to operations that never return."""
    sleeper = stage.plugins["sleeper"]
    sleeper.nap(seconds=0.01)
    before = stage.pid("sleeper")
    _hang(stage, "spin", "an endless loop was interrupted")
    kept = sleeper.naps() == 1 and stage.pid("sleeper") == before
    stage.expect(kept, "its process and its state are still there")
    _hang(stage, "in_c", "a call into C that sees no interrupt was ended by a kill")
    answered = sleeper.nap(seconds=0.01) > 0
    after = stage.pid("sleeper")
    stage.expect(answered and after != before, f"a new process answers: {before} → {after}")


def _hang(stage: Stage, how: str, fact: str) -> None:
    begin = time.monotonic()
    with stage.expect_error(PluginTimeoutError, fact):
        stage.plugins.execute("sleeper", "hang", {"how": how}, timeout=_DEADLINE)
    took = time.monotonic() - begin
    stage.expect(_DEADLINE <= took < _DEADLINE + _SLACK, f"it took {took:.2f} s")
