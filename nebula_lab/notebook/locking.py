"""Subcommands about which versions of plugins are used."""

from __future__ import annotations

from argparse import Namespace

from IPython.core.error import UsageError

from nebula_lab.notebook.arguments import CommandParser
from nebula_lab.notebook.command import Command, takes_plugin
from nebula_lab.notebook.session import NotebookSession
from nebula_lab.views import problem_list, reasons_view


def _lock(session: NotebookSession, args: Namespace) -> None:
    from nebula_lab.runtime.locking import relock

    if args.ids and not args.upgrade:
        raise UsageError("%plugin lock: plugins are named for --upgrade only")
    upgrade = None if args.upgrade and not args.ids else args.ids
    done = relock(session.manager.config, upgrade, write=not args.check)
    said = "is not up to date" if args.check else "is written"
    standing = said if done.changes else "is as it was"
    ending = "There are no plugins to lock" if done.is_empty else f"{done.path} {standing}"
    session.say("\n".join([*done.changes, f"{ending}."]))
    if found := (*done.left_out, *done.unusable):
        session.show(problem_list(found))


def _takes_upgrade(parser: CommandParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="*", help="with --upgrade: only these plugins")
    parser.add_argument("--upgrade", action="store_true", help="choose anew, the newest that fit")
    parser.add_argument("--check", action="store_true", help="write nothing, say what would change")


def _why(session: NotebookSession, args: Namespace) -> None:
    session.show(reasons_view(session.manager.version_reasons(args.id)))


COMMANDS = (
    Command(
        "lock",
        "Write down in nebula.lock exactly which plugins these are.",
        _lock,
        _takes_upgrade,
        completes=("plugin",),
        flags=("--upgrade", "--check"),
    ),
    Command(
        "why",
        "Say why a plugin is used in the version that it is, and not in a newer one.",
        _why,
        takes_plugin,
        completes=("plugin",),
    ),
)
