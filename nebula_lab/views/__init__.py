"""What people see of a manager, as text and as HTML; no Jupyter in here.

Everything that comes from a plugin is cleaned and escaped on its way through.
"""

from __future__ import annotations

from nebula_lab.views.error_box import error_box, error_brief
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
from nebula_lab.views.plugin_list import plugin_list
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
