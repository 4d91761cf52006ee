"""Which view a value is shown by, wherever a notebook displays it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nebula_lab.metrics import MetricsSnapshot, PluginMetrics, Timeline
from nebula_lab.model import PluginDescriptor, PluginInfo, Problem
from nebula_lab.model.info import PluginListing
from nebula_lab.model.policy import EffectivePolicy
from nebula_lab.model.problem import ProblemList
from nebula_lab.plugin import HealthStatus
from nebula_lab.plugin.errors import PluginError
from nebula_lab.runtime.log_ring import LogListing
from nebula_lab.trust.history import StoredVersions
from nebula_lab.trust.report import SignatureReport
from nebula_lab.views.descriptor import descriptor_view
from nebula_lab.views.error_boxes import error_box
from nebula_lab.views.health import health_view
from nebula_lab.views.logs import log_view
from nebula_lab.views.metrics import metrics_table, operation_metrics_table
from nebula_lab.views.plugin_rows import plugin_list, plugin_view
from nebula_lab.views.policy import policy_view
from nebula_lab.views.problems import problem_list
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.signatures import signature_report
from nebula_lab.views.timeline import timeline_view
from nebula_lab.views.versions import version_list
from nebula_lab.views.watching import watch_view
from nebula_lab.watch.status import WatchStatus

_VIEWS: Mapping[type, Callable[[Any], Rendered]] = {
    PluginListing: plugin_list,
    PluginInfo: plugin_view,
    PluginDescriptor: descriptor_view,
    MetricsSnapshot: metrics_table,
    PluginMetrics: lambda metrics: operation_metrics_table("This plugin", metrics),
    Timeline: timeline_view,
    HealthStatus: health_view,
    ProblemList: problem_list,
    Problem: lambda problem: problem_list([problem]),
    PluginError: error_box,
    SignatureReport: signature_report,
    StoredVersions: lambda found: version_list(found.plugin_id, found, found.served),
    LogListing: lambda lines: log_view(lines.plugin_id, lines),
    EffectivePolicy: policy_view,
    WatchStatus: watch_view,
}


def view_of(value: object) -> Rendered | None:
    """The view of a value; None for one that has none."""
    views = (_VIEWS.get(kind) for kind in type(value).__mro__)
    view = next(filter(None, views), None)
    return None if view is None else view(value)


def bundle_of(value: object) -> dict[str, Any] | None:
    """The forms of a value by MIME type; None for one that has no view."""
    view = view_of(value)
    return None if view is None else view.mime_bundle()
