"""The tables of metrics: all plugins, or one plugin's operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nebula_lab.metrics import DurationSummary, MetricsSnapshot, PluginMetrics
from nebula_lab.views.quantities import NOTHING, counted, duration, moment, size
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.safe_text import escaped, line
from nebula_lab.views.table import Cell, Column, Table
from nebula_lab.views.tone import Tone

_CALLS = (
    Column("calls", right=True),
    Column("failures", right=True),
    Column("mean", right=True),
    Column("p50", right=True),
    Column("p95", right=True),
    Column("p99", right=True),
    Column("longest", right=True),
)
_LIFE = (
    Column("loads", right=True),
    Column("reloads", right=True),
    Column("restarts", right=True),
    Column("memory", right=True),
    Column("processor", right=True),
)
_LAST = "What went wrong last:"
_TROUBLE = 300  # characters


def metrics_table(metrics: MetricsSnapshot) -> Rendered:
    """One row a plugin, and the totals in the caption."""
    totals = (
        (metrics.executions_total, "call"),
        (metrics.failures_total, "failure"),
        (metrics.loads_total, "load"),
        (metrics.reloads_total, "reload"),
        (metrics.restarts_total, "restart"),
    )
    rows = [
        (plugin_id, *_calls(one.executions, one.failures, one.duration), *_life(one))
        for plugin_id, one in metrics.plugins.items()
    ]
    table = Table(
        caption=", ".join(counted(number, noun) for number, noun in totals),
        columns=(Column("id"), *_CALLS, *_LIFE),
        rows=rows,
        empty="Nothing has been loaded yet, so there is nothing to count.",
    ).rendered()
    return _with_troubles(table, metrics.plugins.items())


def operation_metrics_table(plugin_id: str, metrics: PluginMetrics) -> Rendered:
    """One row an operation of one plugin."""
    rows = [
        (name, *_calls(one.executions, one.failures, one.duration))
        for name, one in metrics.operations.items()
    ]
    table = Table(
        caption=f"{plugin_id}: {counted(metrics.executions, 'call')}, "
        f"{counted(metrics.failures, 'failure')}",
        columns=(Column("operation"), *_CALLS),
        rows=rows,
        empty=f"{plugin_id} has not been called yet.",
    ).rendered()
    return _with_troubles(table, [(plugin_id, metrics)])


def _with_troubles(table: Rendered, plugins: Iterable[tuple[str, PluginMetrics]]) -> Rendered:
    """A table, with the plugins below it of which something went wrong last, and what."""
    said = [(name, _trouble(one)) for name, one in plugins if one.last_error]
    if not said:
        return table
    text = [f"  {line(name)}: {trouble}" for name, trouble in said]
    items = [f"<li>{escaped(name)}: {escaped(trouble, _TROUBLE)}</li>" for name, trouble in said]
    return Rendered(
        "\n".join([table.text, _LAST, *text]),
        f"{table.html}<p>{_LAST}</p><ul>{''.join(items)}</ul>",
    )


def _trouble(metrics: PluginMetrics) -> str:
    """When it was, and its first line."""
    first = line(metrics.last_error.partition("\n")[0], _TROUBLE)
    return line(f"{moment(metrics.last_error_at)}, {first}", _TROUBLE)


def _calls(executions: int, failures: int, took: DurationSummary) -> Sequence[object]:
    times = (took.mean, took.p50, took.p95, took.p99, took.largest)
    shown = [duration(seconds) if took.count else NOTHING for seconds in times]
    return (executions, Cell(failures, Tone.BAD) if failures else failures, *shown)


def _life(metrics: PluginMetrics) -> Sequence[object]:
    return (
        metrics.loads,
        metrics.reloads,
        metrics.restarts,
        size(metrics.memory),
        duration(metrics.cpu_time),
    )
