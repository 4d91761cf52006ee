"""Values as notebooks show them, when strangers have written what is in them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from harmless import EVIL, HUGE, assert_harmless
from IPython.core.formatters import DisplayFormatter

from nebula_lab.errors import (
    DependencyCycleError,
    ExecutionFailedError,
    ExitReport,
    LoadFailedError,
    PluginCrashedError,
    PluginError,
)
from nebula_lab.metrics import Moment, MomentKind, PluginRecorder, Timeline
from nebula_lab.metrics.snapshot import MetricsSnapshot, PluginMetrics
from nebula_lab.model import PluginDescriptor, PluginInfo, PluginState, Problem, Version
from nebula_lab.model.descriptor import SourceLocation
from nebula_lab.model.enforcement import Enforcement
from nebula_lab.model.info import PluginListing
from nebula_lab.model.policy import EffectivePolicy, Measure
from nebula_lab.model.problem import Declaration, ProblemList
from nebula_lab.model.security import SandboxMode
from nebula_lab.plugin import HealthStatus
from nebula_lab.runtime.log_ring import LogLine, LogListing
from nebula_lab.trust.history import StoredVersion, StoredVersions
from nebula_lab.trust.report import Difference, SignatureReport, SignatureStatus
from nebula_lab.views import values
from nebula_lab.watch.status import WatchedFolder, WatchStatus

NOW = datetime.now(UTC)


def info(evil):
    return PluginInfo(
        id="a",
        name=evil,
        version=Version.parse("1.0.0"),
        state=PluginState.FAILED,
        failure=evil,
        description=evil,
        path=Path("/plugins") / evil.replace("\0", ""),
    )


def descriptor(evil):
    line, prose = evil[:1000], evil[:20_000]
    return PluginDescriptor(
        id="a",
        version="1.0.0",
        path=Path("/plugins/a.py"),
        name=line,
        dependencies=["b >=1"] * 100,
        metadata={
            "author": line,
            "description": prose,
            "license": line,
            "homepage": f"javascript:{line[:900]}",
            "tags": [line[:100]] * 1000,
        },
        declared_in=SourceLocation(Path(f"/plugins/{evil[:100]}"), 3),
    )


def metrics(evil):
    recorder = PluginRecorder()
    recorder.record(evil, 0.5, False)
    recorder.note_failure(evil, evil)
    return recorder.snapshot(memory=1, cpu_time=1.0)


def snapshot(evil):
    return MetricsSnapshot(NOW, 1, 1, 1, 1, 1, 1, {evil: metrics(evil)})


def problem(evil):
    declared = Declaration(evil, evil, SourceLocation(Path(evil[:100].replace("\0", "")), 1))
    place = SourceLocation(Path(evil[:100].replace("\0", "")), 1)
    return Problem("cycle", evil, evil, place, evil, (evil,) * 3, "error", (declared,) * 3)


def signature(evil):
    differences = (Difference(evil, evil),) * 100
    status = SignatureStatus.MODIFIED
    return SignatureReport(status, evil, Path("x"), evil, evil, evil, evil, evil, differences)


def policy(evil):
    measure = Measure(evil, evil, Enforcement.NONE, evil, evil, evil)
    return EffectivePolicy(evil, SandboxMode.PROCESS, None, None, (measure,))  # type: ignore[arg-type]


def failed(evil):
    error = ExecutionFailedError(
        evil, plugin_id=evil, operation=evil, error_type=evil, remote_traceback=evil, hint=evil
    )
    error.add_note(evil)
    return error


def not_loaded(evil):
    error = LoadFailedError(evil, plugin_id=evil, path=evil, line=3, hint=evil)
    error.diff = evil
    return error


def crashed(evil):
    report = ExitReport(evil, stderr_tail=(evil,) * 20, native_traceback=evil)
    return PluginCrashedError(plugin_id=evil, operation=evil, report=report)


def timeline(evil):
    moments = tuple(Moment(evil, NOW, kind, evil, 0.5) for kind in MomentKind)
    return Timeline(NOW, NOW, moments)


VALUES = {
    "listing": lambda evil: PluginListing([info(evil), info("b")]),
    "info": info,
    "descriptor": descriptor,
    "snapshot": snapshot,
    "metrics": metrics,
    "health": HealthStatus.degraded,
    "problems": lambda evil: ProblemList([problem(evil)]),
    "problem": problem,
    "error": PluginError,
    "failed": failed,
    "not loaded": not_loaded,
    "crashed": crashed,
    "cycle": lambda evil: DependencyCycleError(evil, cycle=(evil, evil), hint=evil),
    "signature": signature,
    "history": lambda evil: StoredVersions(evil, [StoredVersion(1.0, evil, evil)], evil),
    "logs": lambda evil: LogListing(evil, [LogLine(NOW, 30, "log", evil)]),
    "timeline": timeline,
    "policy": policy,
    "watch": lambda evil: WatchStatus(True, True, (evil,), (WatchedFolder(evil, evil, evil),)),
}


@pytest.fixture(scope="module")
def shown():
    formatter = DisplayFormatter()

    def show(value):
        bundle, _ = formatter.format(value)
        return bundle

    return show


@pytest.mark.parametrize("evil", [EVIL, HUGE], ids=["tags", "a megabyte"])
@pytest.mark.parametrize("case", VALUES)
def test_nothing_that_a_plugin_wrote_does_harm(case, evil, shown):
    assert_harmless(shown(VALUES[case](evil)))


def test_every_kind_of_value_that_has_a_view_is_tried_here():
    assert {type(make("x")) for make in VALUES.values()} >= set(values._VIEWS)


@pytest.mark.parametrize("case", VALUES)
def test_every_value_is_shown_as_text_too(case, shown):
    bundle = shown(VALUES[case]("it"))
    assert "it" in bundle["text/plain"]
    assert not bundle["text/plain"].startswith(("<", "[Plugin", "(Stored"))


def test_a_list_of_plugins_is_a_list():
    found = PluginListing([info("b"), info("a")])
    assert isinstance(found, list)
    assert found == [info("b"), info("a")]
    assert found[:1] == [info("b")]
    assert repr(found).startswith("[PluginInfo(")


def test_within_something_else_a_list_of_plugins_is_as_python_writes_it(shown):
    assert shown({"all": PluginListing()})["text/plain"] == "{'all': []}"


def test_the_words_beside_a_colour_say_the_same(shown):
    assert shown(HealthStatus.HEALTHY)["text/plain"] == "✓ Healthy"
    assert shown(HealthStatus.degraded("slow"))["text/plain"] == "· Degraded: slow"


def test_a_metrics_of_nothing_says_so(shown):
    assert "has not been called" in shown(PluginMetrics())["text/plain"]
