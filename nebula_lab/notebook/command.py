"""What a subcommand of `%plugin` is."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from typing import Any

from msgspec import Struct, field

from nebula_lab.notebook.arguments import CommandParser
from nebula_lab.notebook.session import NotebookSession


def _no_arguments(parser: CommandParser) -> None:
    """For a subcommand that takes none."""


class Command(Struct, frozen=True):
    """One subcommand.

    Attributes:
        name: what people type.
        summary: one sentence for the list of subcommands and the top of the help.
        run: does it; what it returns is the value of the magic.
        declare: adds its arguments to a parser.
        completes: what each positional argument is: "plugin", "operation", "param", "switch",
            "version", "environments" or "file". The last one goes for all that follow.
        flags: its options, for completion.
    """

    name: str
    summary: str
    run: Callable[[NotebookSession, Namespace], Any]
    declare: Callable[[CommandParser], None] = _no_arguments
    completes: tuple[str, ...] = ()
    flags: tuple[str, ...] = field(default=())

    def parser(self) -> CommandParser:
        """A parser for its arguments."""
        parser = CommandParser(self.name, self.summary)
        self.declare(parser)
        return parser


def takes_plugin(parser: CommandParser) -> None:
    """Declare one plugin id."""
    parser.add_argument("id", metavar="ID", help="the plugin")


def takes_optional_plugin(parser: CommandParser) -> None:
    """Declare a plugin id that may be left out."""
    parser.add_argument("id", metavar="ID", nargs="?", help="one plugin, instead of all")


def takes_plugins(parser: CommandParser) -> None:
    """Declare one or more plugin ids."""
    parser.add_argument("ids", metavar="ID", nargs="+", help="the plugins")
