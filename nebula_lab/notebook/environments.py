"""The subcommand about the Python environments of plugins."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path

from IPython.core.error import UsageError

from nebula_lab.notebook.arguments import CommandParser
from nebula_lab.notebook.command import Command
from nebula_lab.notebook.session import NotebookSession


def _list(session: NotebookSession, args: Namespace) -> None:
    from nebula_lab.environments.cache_layout import CacheLayout, cache_root
    from nebula_lab.environments.upkeep import kept_environments
    from nebula_lab.views.environments import environment_list

    session.show(environment_list(kept_environments(CacheLayout(cache_root()))))


def _show(session: NotebookSession, args: Namespace) -> None:
    from nebula_lab.environments.cache_layout import CacheLayout, cache_root
    from nebula_lab.environments.upkeep import kept_environment
    from nebula_lab.views.environments import environment_details

    path = session.manager.build_environment(_named(args))
    if path is None:
        session.say(_asks_for_none(args.id))
    else:
        session.show(environment_details(kept_environment(CacheLayout(cache_root()), path.name)))


def _rebuild(session: NotebookSession, args: Namespace) -> None:
    path = session.manager.build_environment(_named(args), anew=True)
    session.say(_asks_for_none(args.id) if path is None else _built(args.id, path))


def _build(session: NotebookSession, args: Namespace) -> None:
    path = session.manager.build_environment(_named(args))
    session.say(_asks_for_none(args.id) if path is None else _built(args.id, path))


def _collect(session: NotebookSession, args: Namespace) -> None:
    from nebula_lab.environments.cache_layout import CacheLayout, cache_root
    from nebula_lab.environments.upkeep import MONTH, remove_unused
    from nebula_lab.runtime.environment_needs import asks_still
    from nebula_lab.views.environments import removed_in_words

    layout = CacheLayout(cache_root())
    removed = remove_unused(layout, 0.0) if args.all else remove_unused(layout, MONTH, asks_still)
    session.say(removed_in_words(removed))


def _named(args: Namespace) -> str:
    if args.id is None:
        raise UsageError(f"%plugin env {args.action}: name the plugin, as in its ID")
    return str(args.id)


def _asks_for_none(plugin_id: str) -> str:
    return f"{plugin_id} asks for no environment, and runs in the manager's own."


def _built(plugin_id: str, path: Path) -> str:
    return f"The environment of {plugin_id} is {path}."


_ACTIONS: Mapping[str, Callable[[NotebookSession, Namespace], None]] = {
    "list": _list,
    "show": _show,
    "build": _build,
    "rebuild": _rebuild,
    "gc": _collect,
}

ACTIONS = tuple(_ACTIONS)


def _run(session: NotebookSession, args: Namespace) -> None:
    _ACTIONS[args.action](session, args)


def _takes_action(parser: CommandParser) -> None:
    parser.add_argument(
        "action",
        metavar="ACTION",
        nargs="?",
        default="list",
        choices=ACTIONS,
        help="list: those that are kept; show ID: its packages; build ID; rebuild ID: again, of "
        "the same packages; gc: remove what nobody has used for a month or still asks for",
    )
    parser.add_argument("id", metavar="ID", nargs="?", help="the plugin")
    parser.add_argument("--all", action="store_true", help="gc: all that nobody has just now")


COMMANDS = (
    Command(
        "env",
        "Show the Python environments of plugins, build and remove them.",
        _run,
        _takes_action,
        completes=("environments", "plugin"),
        flags=("--all",),
    ),
)
