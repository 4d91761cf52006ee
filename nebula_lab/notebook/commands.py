"""The table of subcommands, and how a line finds its way to one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from IPython.core.error import UsageError

from nebula_lab.errors import nearest_names
from nebula_lab.notebook import (
    debugging,
    environments,
    going_back,
    installing,
    locking,
    steering,
    viewing,
)
from nebula_lab.notebook.arguments import HELP_FLAGS
from nebula_lab.notebook.command import Command
from nebula_lab.notebook.session import NotebookSession
from nebula_lab.notebook.words import raw_words, unquoted

DEFAULT = "dashboard"
HELP = "help"
# Their words are values that keep their quotes, which tell a text from a number.
_KEEPS_QUOTES = frozenset({"call"})

COMMANDS: Mapping[str, Command] = {
    command.name: command
    for command in (
        *viewing.COMMANDS,
        *steering.COMMANDS,
        *going_back.COMMANDS,
        *installing.COMMANDS,
        *locking.COMMANDS,
        *environments.COMMANDS,
        *debugging.COMMANDS,
    )
}


def run_line(session: NotebookSession, line: str) -> Any:
    """Do what the line of a `%plugin` magic says.

    Raises:
        UsageError: there is no such subcommand, or its arguments are wrong.
        PluginError: it failed.
    """
    name, *words = raw_words(line) or [DEFAULT]
    if name == HELP or name in HELP_FLAGS:
        return _help(session, words)
    command = COMMANDS.get(name)
    if command is None:
        raise UsageError(_unknown(name))
    parser = command.parser()
    if HELP_FLAGS.intersection(words):
        return session.say(parser.format_help().rstrip())
    if name not in _KEEPS_QUOTES:
        words = [unquoted(word) for word in words]
    return command.run(session, parser.parse(words))


def _help(session: NotebookSession, words: list[str]) -> Any:
    """`help` lists the subcommands, `help SUBCOMMAND` explains one, `help ID` a plugin."""
    if not words or HELP_FLAGS.intersection(words):
        return session.say(overview())
    if words[0] in COMMANDS:
        return session.say(COMMANDS[words[0]].parser().format_help().rstrip())
    return run_line(session, " ".join(["ops", *words]))


def overview() -> str:
    """Every subcommand with its summary."""
    width = max(map(len, COMMANDS))
    rows = [f"  {command.name:{width}}  {command.summary}" for command in COMMANDS.values()]
    return "\n".join(
        [
            "%plugin SUBCOMMAND …   (%plugin SUBCOMMAND --help says more, %plugin help ID "
            "shows a plugin's operations)",
            *rows,
            "Cells: %%plugin ID writes the cell as that plugin's source and loads it; "
            "%%in ID runs it in the plugin's kernel.",
        ]
    )


def _unknown(name: str) -> str:
    nearest = nearest_names(name, [*COMMANDS, HELP])
    hint = f"did you mean {' or '.join(nearest)}?" if nearest else "see %plugin help"
    return f"%plugin has no subcommand {name[:80]!r}; {hint}"
