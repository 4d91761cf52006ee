"""Which picture a value is drawn as."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nebula_lab.errors import MissingLibraryError
from nebula_lab.metrics import MetricsSnapshot, PluginMetrics, Timeline
from nebula_lab.views.plots.picture import Picture


def picture_of(value: object, path: str | Path | None = None) -> Picture:
    """Draw a value.

    Args:
        value: of a kind that can be drawn.
        path: a file to write it to as well; its suffix says in which format.

    Raises:
        MissingLibraryError: matplotlib is not installed.
        OSError, ValueError: it can't be written there, or not in that format.
    """
    try:
        picture = _DRAWINGS[type(value)](value)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        raise MissingLibraryError(
            "a picture takes matplotlib, which is not installed",
            hint="Run `pip install 'nebula-lab[plots]'` and try again; no restart is needed.",
        ) from error
    if path is not None:
        picture.save(path)
    return picture


def _of_metrics(metrics: MetricsSnapshot) -> Picture:
    from nebula_lab.views.plots.calls import draw_calls

    return draw_calls("plugin", metrics.plugins)


def _of_operations(metrics: PluginMetrics) -> Picture:
    from nebula_lab.views.plots.calls import draw_calls

    return draw_calls("operation", metrics.operations)


def _of_timeline(timeline: Timeline) -> Picture:
    from nebula_lab.views.plots.history import draw_timeline

    return draw_timeline(timeline)


_DRAWINGS: Mapping[type, Callable[[Any], Picture]] = {
    MetricsSnapshot: _of_metrics,
    PluginMetrics: _of_operations,
    Timeline: _of_timeline,
}
