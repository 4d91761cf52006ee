"""Reads a manager's plugins into rows: every text clean and capped, every number finite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from nebula_lab.live.rows import LogRow, PluginRow, ProblemRow, Totals
from nebula_lab.metrics import PluginMetrics
from nebula_lab.model import PluginInfo, PluginState, Problem
from nebula_lab.model.problem import ProblemKind
from nebula_lab.runtime.log_ring import LogLine
from nebula_lab.runtime.record import SERVING
from nebula_lab.views.safe_text import line, prose

# Characters of what a row shows at length; who wants all of it asks for the logs.
ERROR_LIMIT = 4_000
TEXT_LIMIT = 1_000
LOG_LINE_LIMIT = 2_000
_SERVING_WORDS = frozenset(state.value for state in SERVING)


def new_row(info: PluginInfo, left_out: str) -> PluginRow:
    """The row of a plugin of which nothing has been measured yet."""
    return PluginRow(
        id=line(info.id),
        name=line(info.name),
        version=line(info.version),
        description=line(info.description, TEXT_LIMIT),
        state=info.state.value,
        left_out=prose(left_out, ERROR_LIMIT),
        sandbox=info.sandbox,
        rights=info.rights,
        pid=info.pid,
        health="Unknown",
        health_message="",
        executions=0,
        failures=0,
        rate=0.0,
        latency=None,
        cpu=None,
        memory=None,
        reloads=info.reload_count,
        restarts=info.restarts,
        loaded_at=timestamp(info.loaded_at),
        last_used=timestamp(info.last_used),
        error="",
        error_at=None,
    )


def trouble_of(metrics: PluginMetrics) -> dict[str, Any]:
    """The fields of a row that say what went wrong last."""
    return {
        "error": prose(metrics.last_error, ERROR_LIMIT),
        "error_at": timestamp(metrics.last_error_at),
    }


def reasons(problems: Iterable[Problem]) -> dict[str, str]:
    """Why plugins can't be loaded, by id; the first reason of each."""
    found: dict[str, str] = {}
    for problem in problems:
        if problem.severity == "error" and problem.plugin_id is not None:
            # A cycle is the problem of the first of its members, and keeps all of them out.
            members = problem.chain if problem.kind == ProblemKind.CYCLE else ()
            for plugin_id in (problem.plugin_id, *members):
                found.setdefault(plugin_id, str(problem).removeprefix(f"{problem.plugin_id}: "))
    return found


def problem_row(problem: Problem) -> ProblemRow:
    """What is shown of a problem."""
    return ProblemRow(
        plugin=line(problem.plugin_id or ""),
        kind=line(problem.kind),
        severity=problem.severity,
        message=prose("\n".join([problem.message, *map(str, problem.declarations)]), ERROR_LIMIT),
        where=line(problem.location or "", TEXT_LIMIT),
        cure=prose(problem.cure, TEXT_LIMIT),
    )


def log_row(entry: LogLine) -> LogRow:
    """What is shown of a line."""
    return LogRow(
        entry.at.timestamp(), entry.level, entry.stream, prose(entry.text, LOG_LINE_LIMIT)
    )


def totals(rows: Mapping[str, PluginRow], problems: Iterable[Problem], version: int) -> Totals:
    """The sums over all rows, with the version of the problems."""
    severities = [problem.severity for problem in problems]
    return Totals(
        plugins=len(rows),
        serving=sum(row.state in _SERVING_WORDS for row in rows.values()),
        failed=sum(row.state == PluginState.FAILED.value for row in rows.values()),
        executions=sum(row.executions for row in rows.values()),
        failures=sum(row.failures for row in rows.values()),
        errors=severities.count("error"),
        notes=severities.count("note"),
        problems=version,
    )


def timestamp(moment: datetime | None) -> float | None:
    """Seconds since 1970, whole ones: a row that differs in less is not worth sending."""
    return None if moment is None else float(int(moment.timestamp()))
