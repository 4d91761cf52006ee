"""What a front end may ask for, each kind of request with the function that does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from nebula_lab.live import messages as m
from nebula_lab.live.graph import read_graph_now
from nebula_lab.live.reading import log_row, problem_row
from nebula_lab.live.rows import OperationRow, VersionRow
from nebula_lab.live.samples import MOST_SAMPLES, samples
from nebula_lab.manager import PluginManager
from nebula_lab.runtime.operation import Operation
from nebula_lab.runtime.record import SERVING
from nebula_lab.views.safe_text import line, prose

MOST_LOG_LINES = 1_000
# Bytes of one answer: what a front end can show at once, and a websocket carries without a stop.
LARGEST_ANSWER = 2_000_000
T = TypeVar("T", bound=msgspec.Struct)


def _load(manager: PluginManager, request: m.Load) -> m.Done:
    manager.load_plugin(request.plugin)
    return _standing(manager, request.plugin)


def _unload(manager: PluginManager, request: m.Unload) -> m.Done:
    manager.unload_plugin(request.plugin, cascade=request.cascade)
    return _standing(manager, request.plugin)


def _reload(manager: PluginManager, request: m.Reload) -> m.Done:
    manager.reload_plugin(request.plugin)
    return _reloaded(manager, request.plugin)


def _suspend(manager: PluginManager, request: m.Suspend) -> m.Done:
    manager.suspend_plugin(request.plugin)
    return _standing(manager, request.plugin)


def _resume(manager: PluginManager, request: m.Resume) -> m.Done:
    manager.resume_plugin(request.plugin)
    return _standing(manager, request.plugin)


def _restart(manager: PluginManager, request: m.Restart) -> m.Done:
    """End it and bring it back, and where `cascade` says so those that need it and were loaded."""
    up = {info.id for info in manager.list_plugins() if info.state in SERVING}
    again = [one for one in manager.dependents(request.plugin) if one in up and request.cascade]
    manager.unload_plugin(request.plugin, cascade=request.cascade)
    for plugin_id in (request.plugin, *reversed(again)):
        manager.load_plugin(plugin_id)
    return _standing(manager, request.plugin)


def _rollback(manager: PluginManager, request: m.Rollback) -> m.Done:
    manager.rollback_plugin(request.plugin, request.version)
    return _reloaded(manager, request.plugin)


def _operations(manager: PluginManager, request: m.AskOperations) -> m.Operations:
    known = manager.operations(request.plugin, load=request.load)
    rows, left_out = _fitting(map(_operation_row, known.values()), len(known))
    return m.Operations(rows, not known, left_out)


def _history(manager: PluginManager, request: m.AskHistory) -> m.History:
    served = manager.served_digest(request.plugin)
    versions = manager.plugin_history(request.plugin)
    return m.History(
        tuple(
            VersionRow(line(one.version), one.digest, one.at, one.digest == served)
            for one in versions
        )
    )


def _logs(manager: PluginManager, request: m.AskLogs) -> m.Logs:
    count = min(max(1, request.lines), MOST_LOG_LINES)
    return m.Logs(tuple(map(log_row, manager.logs(request.plugin)[-count:])))


def _health(manager: PluginManager, request: m.AskHealth) -> m.Health:
    status = manager.plugin_health(request.plugin)
    return m.Health(status.state.value, prose(status.message, 10_000))


def _problems(manager: PluginManager, request: m.AskProblems) -> m.Problems:
    found = manager.problems
    return m.Problems(*_fitting(map(problem_row, found), len(found)))


def _samples(manager: PluginManager, request: m.AskSamples) -> m.Samples:
    found = list(samples(manager))
    return m.Samples(*_fitting(found[:MOST_SAMPLES], len(found)))


def _graph(manager: PluginManager, request: m.AskGraph) -> m.Graph:
    return read_graph_now(manager)


ACTIONS: Mapping[type[m.Request], Callable[[PluginManager, Any], m.AnyAnswer]] = {
    m.Load: _load,
    m.Unload: _unload,
    m.Reload: _reload,
    m.Suspend: _suspend,
    m.Resume: _resume,
    m.Restart: _restart,
    m.Rollback: _rollback,
    m.AskOperations: _operations,
    m.AskHistory: _history,
    m.AskLogs: _logs,
    m.AskHealth: _health,
    m.AskProblems: _problems,
    m.AskSamples: _samples,
    m.AskGraph: _graph,
}


def _standing(manager: PluginManager, plugin_id: str) -> m.Done:
    """Such as `counter 1.0.0 is Loaded.`"""
    info = manager.plugin_info(plugin_id)
    return m.Done(line(f"{info.id} {info.version} is {info.state.value}."))


def _reloaded(manager: PluginManager, plugin_id: str) -> m.Done:
    """The same, with what has changed."""
    said = [_standing(manager, plugin_id).text]
    last = manager.last_reload(plugin_id)
    if last is not None:
        said += last.changes
        said += [f"{name} was not carried over: {why}" for name, why in last.left_out.items()]
    return m.Done(prose("\n".join(said), 10_000))


def _operation_row(operation: Operation) -> OperationRow:
    return OperationRow(
        name=line(operation.name),
        signature=line(operation.signature, 1_000),
        description=prose(operation.description, 4_000),
        params=operation.params.schema,
        stream=operation.stream,
        idempotent=operation.idempotent,
    )


def _fitting(rows: Iterable[T], count: int) -> tuple[tuple[T, ...], int]:
    """Rows from the start, as many as one answer may hold, and how many that leaves out."""
    taken: list[T] = []
    size = 0
    for row in rows:
        size += len(msgspec.json.encode(row))
        if size > LARGEST_ANSWER:
            break
        taken.append(row)
    return tuple(taken), count - len(taken)
