"""What people see of a manager, as text and as HTML; no Jupyter in here.

Everything that comes from a plugin is cleaned and escaped on its way through.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nebula_lab.views.error_boxes import error_box, error_brief
    from nebula_lab.views.examination import examination_view
    from nebula_lab.views.graph import graph_view
    from nebula_lab.views.health import health_table
    from nebula_lab.views.installing import (
        install_view,
        search_view,
        uninstall_view,
        update_list,
    )
    from nebula_lab.views.logs import log_view
    from nebula_lab.views.metrics import metrics_table, operation_metrics_table
    from nebula_lab.views.operations import operations_help
    from nebula_lab.views.plugin_rows import plugin_list
    from nebula_lab.views.policy import policy_view
    from nebula_lab.views.problems import problem_count, problem_list
    from nebula_lab.views.reasons import reasons_view
    from nebula_lab.views.reload_news import reload_details
    from nebula_lab.views.rendered import Rendered
    from nebula_lab.views.signatures import signature_report
    from nebula_lab.views.unenforced import unenforced_note
    from nebula_lab.views.versions import version_list
    from nebula_lab.views.watching import news_view, watch_view

__all__ = [
    "Rendered",
    "plugin_list",
    "health_table",
    "metrics_table",
    "operation_metrics_table",
    "problem_list",
    "problem_count",
    "graph_view",
    "error_box",
    "error_brief",
    "operations_help",
    "log_view",
    "signature_report",
    "unenforced_note",
    "examination_view",
    "policy_view",
    "version_list",
    "reasons_view",
    "reload_details",
    "watch_view",
    "news_view",
    "search_view",
    "update_list",
    "install_view",
    "uninstall_view",
]

# A notebook that starts needs few of them, so each is imported when it is first asked for.
_HOMES = {
    "error_box": "error_boxes",
    "error_brief": "error_boxes",
    "examination_view": "examination",
    "graph_view": "graph",
    "health_table": "health",
    "install_view": "installing",
    "search_view": "installing",
    "uninstall_view": "installing",
    "update_list": "installing",
    "log_view": "logs",
    "metrics_table": "metrics",
    "operation_metrics_table": "metrics",
    "operations_help": "operations",
    "plugin_list": "plugin_rows",
    "policy_view": "policy",
    "problem_count": "problems",
    "problem_list": "problems",
    "reasons_view": "reasons",
    "reload_details": "reload_news",
    "Rendered": "rendered",
    "signature_report": "signatures",
    "unenforced_note": "unenforced",
    "version_list": "versions",
    "news_view": "watching",
    "watch_view": "watching",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
