"""Pictures of metrics and of what happened."""

from __future__ import annotations

import builtins
import sys
from datetime import UTC, datetime, timedelta

import pytest
from harmless import EVIL, HUGE
from matplotlib.text import Text

from nebula_lab.errors import MissingLibraryError, PluginError
from nebula_lab.metrics import MemorySample, Moment, MomentKind, PluginRecorder, Timeline
from nebula_lab.metrics.snapshot import MetricsSnapshot, PluginMetrics

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n"


def recorded(calls: int, failures: int = 0, operation: str = "go") -> PluginMetrics:
    recorder = PluginRecorder()
    for number in range(calls):
        recorder.record(operation, 0.001 * (number + 1), number >= failures)
    return recorder.snapshot()


def snapshot(**plugins: PluginMetrics) -> MetricsSnapshot:
    return MetricsSnapshot(NOW, 0, 0, 0, 0, 0, 0, plugins)


def happened(plugin_id: str, *kinds: MomentKind) -> tuple[Moment, ...]:
    return tuple(
        Moment(plugin_id, NOW + timedelta(seconds=number), kind)
        for number, kind in enumerate(kinds)
    )


def texts(picture) -> list[str]:
    """All that is written in a picture."""
    return [one.get_text() for one in picture.figure.findobj(Text) if one.get_text()]


def test_metrics_are_drawn_with_their_figures():
    picture = snapshot(fast=recorded(10), slow=recorded(20, failures=3)).plot()
    written = texts(picture)
    assert " 20, 3 failed" in written
    assert any(text.startswith("fast: median 4.") for text in written)
    assert "How long calls took" in written


def test_the_words_of_a_picture_say_what_it_shows():
    picture = snapshot(slow=recorded(20, failures=3)).plot()
    assert "slow: 20 calls, 3 failures, median 9.96 ms" in repr(picture)


def test_one_plugin_is_drawn_by_its_operations():
    assert any(text.startswith("go: median") for text in texts(recorded(5).plot()))


def test_the_busiest_are_drawn_and_the_others_counted():
    many = snapshot(**{f"p{number:02}": recorded(number + 1) for number in range(40)})
    written = texts(many.plot())
    assert "How long calls took, of the 6 busiest of 40 plugins" in written
    assert "Calls, of the 15 busiest of 40 plugins" in written
    assert "p39" in written and "p00" not in written


def test_what_happened_is_drawn_with_memory_below():
    moments = happened("it", MomentKind.LOADED, MomentKind.CRASHED, MomentKind.RESTARTED)
    memory = {"it": (MemorySample(NOW, 2**20), MemorySample(NOW + timedelta(seconds=1), 2**21))}
    picture = Timeline(NOW, NOW + timedelta(seconds=9), moments, memory).plot()
    assert {"loaded (1)", "crashed (1)", "restarted (1)"} <= set(texts(picture))
    assert "it: now 2.0 MiB, at most 2.0 MiB" in texts(picture)
    assert "it: loaded 1×, crashed 1×, restarted 1×" in repr(picture)


@pytest.mark.parametrize("nothing", [snapshot(), PluginMetrics(), Timeline(NOW, NOW)])
def test_a_picture_of_nothing_says_so(nothing):
    assert any("yet." in text for text in texts(nothing.plot()))


NAMES = [EVIL, HUGE, r"$\frac{a}{$", "\\", "_" * 300, "", "日本"]


def test_no_name_that_a_plugin_made_up_spoils_a_picture():
    moments = tuple(Moment(evil, NOW, kind, evil) for kind in MomentKind for evil in NAMES)
    timeline = Timeline(NOW, NOW, moments, {evil: (MemorySample(NOW, 5),) for evil in NAMES})
    for value in (snapshot(**{evil: recorded(3) for evil in NAMES}), timeline):
        picture = value.plot()
        assert picture.png().startswith(PNG)
        assert len(repr(picture)) < 20_000
        written = [one.get_text() for one in picture.figure.findobj(Text)]
        assert not {"\x1b", "\u202e"} & set("".join([*written, repr(picture)]))


def test_a_notebook_is_given_a_picture_at_its_size_and_the_words():
    data, metadata = snapshot(it=recorded(3)).plot()._repr_mimebundle_()
    assert set(data) == {"image/png", "text/plain"}
    assert metadata["image/png"]["width"] == 648


def test_a_picture_is_written_in_the_format_of_its_file(tmp_path):
    snapshot(it=recorded(3)).plot(tmp_path / "metrics.svg")
    assert "<svg" in (tmp_path / "metrics.svg").read_text()


def test_a_format_that_there_is_not_is_an_error_that_names_those_there_are(tmp_path):
    with pytest.raises(ValueError, match="png"):
        snapshot(it=recorded(3)).plot(tmp_path / "metrics.doc")


def test_without_matplotlib_the_error_has_the_command(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.partition(".")[0] == "matplotlib":
            raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
        return real(name, *rest)

    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingLibraryError, match=r"nebula-lab\[plots\]") as caught:
        snapshot(it=recorded(3)).plot()
    assert isinstance(caught.value, PluginError)
    assert isinstance(caught.value, ImportError)
