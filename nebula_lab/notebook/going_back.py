"""Subcommands for the versions that a plugin has had."""

from __future__ import annotations

from argparse import Namespace

from nebula_lab.notebook.arguments import CommandParser
from nebula_lab.notebook.command import Command, takes_plugin
from nebula_lab.notebook.session import NotebookSession
from nebula_lab.notebook.steering import say_what_changed, standing
from nebula_lab.views import version_list


def _history(session: NotebookSession, args: Namespace) -> None:
    manager = session.manager
    versions = manager.plugin_history(args.id)
    session.show(version_list(args.id, versions, manager.served_digest(args.id)))


def _rollback(session: NotebookSession, args: Namespace) -> None:
    manager = session.manager
    manager.rollback_plugin(args.id, args.version)
    session.say(standing(manager, args.id))
    say_what_changed(session, args.id)
    session.say(
        f"{manager.descriptor(args.id).path.name} has not been changed: the next save, or "
        f"%plugin reload {args.id}, brings back what it has."
    )


def _takes_version(parser: CommandParser) -> None:
    takes_plugin(parser)
    parser.add_argument(
        "version",
        metavar="VERSION",
        nargs="?",
        help="a version, or the beginning of a digest, of its history; without, the one before",
    )


COMMANDS = (
    Command(
        "history",
        "List the versions of a plugin that can be gone back to.",
        _history,
        takes_plugin,
        completes=("plugin",),
    ),
    Command(
        "rollback",
        "Put an earlier version of a plugin in the place of what runs, with its state.",
        _rollback,
        _takes_version,
        completes=("plugin", "version"),
    ),
)
