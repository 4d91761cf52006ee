"""Subcommands that look into a plugin where it runs: a post-mortem, and the way to its kernel."""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace

from IPython.core.error import StdinNotImplementedError

from nebula_lab.errors import NothingToDebugError, PluginError
from nebula_lab.manager import PluginManager
from nebula_lab.notebook.arguments import CommandParser, seconds
from nebula_lab.notebook.command import Command, takes_plugin
from nebula_lab.notebook.session import NotebookSession
from nebula_lab.views.safe_text import stream_text

_QUIT = frozenset({"q", "quit", "exit", "EOF"})


def _debug(session: NotebookSession, args: Namespace) -> None:
    manager = session.manager
    opening = manager.debug(args.id, timeout=args.timeout)
    if args.commands:
        for command in args.commands:
            if command.strip() in _QUIT:
                break
            _show(manager.debug(args.id, command, timeout=args.timeout))
        return
    _show(opening)
    _converse(session, manager, args)


def _converse(session: NotebookSession, manager: PluginManager, args: Namespace) -> None:
    """Ask for commands until the user has seen enough."""
    last = ""
    while True:
        try:
            typed = input(f"{args.id}> ").strip() or last
        except (StdinNotImplementedError, EOFError, OSError):
            session.say(
                "Nothing can be typed here. Give the commands along with it: "
                f'%plugin debug {args.id} -c "up" -c "p name"'
            )
            return
        except KeyboardInterrupt:
            return
        if typed in _QUIT:
            return
        if not typed:
            continue
        last = typed
        try:
            _show(manager.debug(args.id, typed, timeout=args.timeout))
        except NothingToDebugError:
            raise
        except PluginError as error:
            session.say(str(error))
        except KeyboardInterrupt:
            session.say("The command was interrupted.")


def _show(text: str) -> None:
    if text:
        sys.stdout.write(f"{stream_text(text, colours=False)}\n")


def _takes_commands(parser: CommandParser) -> None:
    takes_plugin(parser)
    parser.add_argument(
        "-c",
        "--command",
        dest="commands",
        metavar="COMMAND",
        action="append",
        help="a command of the debugger, instead of a prompt; more than one run in their order",
    )
    parser.add_argument(
        "--timeout", type=seconds, metavar="S", help="seconds that a command may take"
    )
    parser.epilog = (
        "At the prompt: where, up, down, list, ll, args, p EXPRESSION, pp EXPRESSION, "
        "!STATEMENT, exceptions; help has them all, q ends it. The source shown is what ran, "
        "whatever is in the file by now."
    )


def _console(session: NotebookSession, args: Namespace) -> None:
    manager = session.manager
    path = manager.connection_file(args.id)
    if path is None:
        manager.load_plugin(args.id)
        path = manager.connection_file(args.id)
    if path is None:
        session.say(
            f"{args.id} has no kernel of its own to attach to, since it runs in this process "
            f"(sandbox None). %%in {args.id} runs a cell in its module."
        )
        return
    session.say(
        f"To attach to {args.id}, run in a terminal:\n\n"
        f"jupyter console --existing {shlex.quote(str(path))}\n\n"
        "`plugin` and `module` are the running plugin and its module there. After a reload or a "
        f"restart it is another kernel: ask again. %%in {args.id} runs a cell there from here."
    )


def _takes_console(parser: CommandParser) -> None:
    takes_plugin(parser)
    parser.epilog = (
        "The plugin is loaded if it is not. Any Jupyter front end on this machine can attach by "
        "the connection file, jupyter qtconsole for one. A cell that begins with %%in ID runs in "
        "the same kernel without any of this."
    )


COMMANDS = (
    Command(
        "debug",
        "Look at the last call of a plugin that failed, with Python's debugger.",
        _debug,
        _takes_commands,
        completes=("plugin",),
        flags=("--command", "--timeout"),
    ),
    Command(
        "console",
        "Say how to attach a Jupyter console to a plugin's kernel.",
        _console,
        _takes_console,
        completes=("plugin",),
    ),
)
