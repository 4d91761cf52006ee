"""Subcommands that show something and change nothing."""

from __future__ import annotations

from argparse import Namespace
from contextlib import nullcontext

from nebula_lab.errors import NotFoundError, OperationNotFoundError, PluginError
from nebula_lab.model.refusals import refusals
from nebula_lab.notebook.arguments import CommandParser, count
from nebula_lab.notebook.command import Command, takes_optional_plugin, takes_plugin
from nebula_lab.notebook.live_display import show_live
from nebula_lab.notebook.session import NotebookSession
from nebula_lab.plugin.health import HealthStatus
from nebula_lab.runtime.record import SERVING
from nebula_lab.views import (
    examination_view,
    graph_view,
    health_table,
    log_view,
    metrics_table,
    operation_metrics_table,
    operations_help,
    plugin_list,
    policy_view,
    problem_list,
    watch_view,
)


def _dashboard(session: NotebookSession, args: Namespace) -> None:
    show_live(session, "dashboard", plugin_list(session.manager.list_plugins()))
    session.warn_of_unenforced()


def _list(session: NotebookSession, args: Namespace) -> None:
    session.show(plugin_list(session.manager.list_plugins()))
    session.warn_of_unenforced()


def _health(session: NotebookSession, args: Namespace) -> None:
    manager = session.manager
    if args.id is not None:
        session.show(health_table({args.id: manager.plugin_health(args.id)}))
        return
    serving = [plugin.id for plugin in manager.list_plugins() if plugin.state in SERVING]
    session.show(health_table({plugin_id: _ask(session, plugin_id) for plugin_id in serving}))


def _ask(session: NotebookSession, plugin_id: str) -> HealthStatus | PluginError:
    """The answer of one plugin; that it gives none must not hide the others' answers."""
    try:
        return session.manager.plugin_health(plugin_id)
    except PluginError as error:
        return error


def _metrics(session: NotebookSession, args: Namespace) -> None:
    snapshot = session.manager.metrics()
    if args.id is None:
        session.show(metrics_table(snapshot))
        return
    if args.id not in session.manager:
        raise NotFoundError(args.id, known=session.manager)
    one = snapshot.plugins.get(args.id)
    if one is None:
        session.say(f"{args.id} has not been loaded yet.")
    else:
        session.show(operation_metrics_table(args.id, one))


def _graph(session: NotebookSession, args: Namespace) -> None:
    manager = session.manager
    loadable = set(manager.load_order)
    states = {one.id: one.state for one in manager.list_plugins() if one.id in loadable}
    show_live(session, "graph", graph_view(manager.graph, states))


def _problems(session: NotebookSession, args: Namespace) -> None:
    session.show(problem_list(session.manager.problems))


def _logs(session: NotebookSession, args: Namespace) -> None:
    session.show(log_view(args.id, session.manager.logs(args.id)[-args.lines :]))


def _takes_log_lines(parser: CommandParser) -> None:
    takes_plugin(parser)
    parser.add_argument(
        "-n", "--lines", type=count, default=50, help="how many lines, the last ones (50)"
    )


def _operations(session: NotebookSession, args: Namespace) -> None:
    operations = session.manager.operations(args.id)
    if args.operation is not None:
        if args.operation not in operations:
            raise OperationNotFoundError(args.id, args.operation, known=operations)
        operations = {args.operation: operations[args.operation]}
    session.show(operations_help(args.id, operations))


def _takes_operation(parser: CommandParser) -> None:
    takes_plugin(parser)
    parser.add_argument("operation", metavar="OP", nargs="?", help="one operation, instead of all")


def _doctor(session: NotebookSession, args: Namespace) -> None:
    if args.id is None:
        from nebula_lab.doctor.examining import examine

        session.show(examination_view(examine(lambda: nullcontext(session.manager))))
        return
    manager = session.manager
    policy = manager.policy(args.id)
    refused = refusals(manager.descriptor(args.id), manager.config)
    session.show(policy_view(policy, refused, strict=manager.config.security.strict))


def _takes_patient(parser: CommandParser) -> None:
    parser.add_argument("id", metavar="ID", nargs="?", help="one plugin, instead of the machine")


def _watch(session: NotebookSession, args: Namespace) -> None:
    manager = session.manager
    if args.switch is not None:
        manager.watch(args.switch == "on")
    session.show(watch_view(manager.watch_status))


def _takes_switch(parser: CommandParser) -> None:
    parser.add_argument(
        "switch",
        metavar="on|off",
        choices=("on", "off"),
        nargs="?",
        help="begin or end it; without, say how files are watched",
    )


COMMANDS = (
    Command(
        "dashboard", "Show the plugins as they live, with buttons; as %plugin alone.", _dashboard
    ),
    Command("list", "Show the plugins and their states.", _list),
    Command(
        "health",
        "Ask the plugins that are loaded, or one plugin, for its health.",
        _health,
        takes_optional_plugin,
        completes=("plugin",),
    ),
    Command(
        "metrics",
        "Show counts and durations of calls: of all plugins, or of one plugin's operations.",
        _metrics,
        takes_optional_plugin,
        completes=("plugin",),
    ),
    Command("graph", "Draw the plugins and what they depend on.", _graph),
    Command("problems", "Show what was left out, and why.", _problems),
    Command(
        "logs",
        "Show the last lines that a plugin printed and logged.",
        _logs,
        _takes_log_lines,
        completes=("plugin",),
        flags=("--lines",),
    ),
    Command(
        "ops",
        "Show a plugin's operations with their params; the plugin is loaded for it.",
        _operations,
        _takes_operation,
        completes=("plugin", "operation"),
    ),
    Command(
        "doctor",
        "Try what this machine can enforce, or say what holds for one plugin; with the cures.",
        _doctor,
        _takes_patient,
        completes=("plugin",),
    ),
    Command(
        "watch",
        "Say how files are watched; on or off: reload plugins when their files change, or not.",
        _watch,
        _takes_switch,
        completes=("switch",),
    ),
)
