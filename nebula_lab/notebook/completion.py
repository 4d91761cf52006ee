"""Completion of `%plugin`, `%%plugin` and `%%in`: subcommands, ids, operations, params, values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher

from nebula_lab.errors import PluginError
from nebula_lab.manager import PluginManager

if TYPE_CHECKING:
    from nebula_lab.notebook.command import Command

# `%plugin` may stand behind an assignment; a cell magic stands at the start of the cell.
_LINE_MAGIC = re.compile(r"^\s*(?:[^%=]+=\s*)?%plugin\s+(?P<rest>.*)$")
_CELL_MAGIC = re.compile(r"^%%(?:plugin|in)\s+(?P<rest>\S*)$")
_HELP_FLAG = "--help"


def _words_of(kind: str) -> Sequence[str]:
    """What can be said where only a few words can."""
    if kind == "switch":
        return ("on", "off")
    if kind == "environments":
        from nebula_lab.notebook.environments import ACTIONS

        return tuple(ACTIONS)
    return ()


class MagicCompleter:
    """A matcher for IPython's completer.

    Args:
        manager: the manager whose plugins are offered.
    """

    def __init__(self, manager: Callable[[], PluginManager]) -> None:
        self._manager = manager

    def matcher(self) -> Callable[[CompletionContext], Mapping[str, Any]]:
        """The function to be added to `Completer.custom_matchers`."""

        @context_matcher(identifier="nebula_lab.magics", priority=10)
        def match(context: CompletionContext) -> Mapping[str, Any]:
            words = magic_words(context.text_until_cursor, context.cursor_line)
            candidates = self.candidates(words) if words else []
            fragment = _fragment(words[-1]) if words else ""
            fitting = [SimpleCompletion(text) for text in candidates if text.startswith(fragment)]
            return {
                "completions": fitting,
                "matched_fragment": fragment,
                "suppress": bool(fitting),
                "ordered": True,
            }

        return match  # type: ignore[no-any-return]

    def candidates(self, words: list[str]) -> list[str]:
        """What may stand in the place of the last word, which is being typed."""
        try:
            return list(self._candidates(words))
        except PluginError:
            return []  # completion has no place to show an error, and must not show one half-way

    def _candidates(self, words: list[str]) -> Iterable[str]:
        from nebula_lab.notebook.commands import COMMANDS, HELP

        name, *arguments = words
        if not arguments:
            return [*COMMANDS, HELP]
        if name == HELP:
            return [*COMMANDS, *self._manager()] if len(arguments) == 1 else []
        command = COMMANDS.get(name)
        if command is None:
            return []
        if arguments[-1].startswith("-"):
            return [*command.flags, _HELP_FLAG]
        return self._argument(command, [one for one in arguments if not one.startswith("-")])

    def _argument(self, command: Command, arguments: list[str]) -> Iterable[str]:
        if not command.completes:
            return []
        kind = command.completes[min(len(arguments), len(command.completes)) - 1]
        if kind == "plugin":
            return self._manager()
        if kind == "operation":
            return self._manager().operations(arguments[0], load=False)
        if kind == "param":
            return self._params(arguments)
        if kind == "version":
            return [one.version for one in self._manager().plugin_history(arguments[0])]
        return _words_of(kind)

    def _params(self, arguments: list[str]) -> Iterable[str]:
        plugin_id, operation, *params = arguments
        known = self._manager().operations(plugin_id, load=False).get(operation)
        if known is None:
            return []
        properties = known.params.properties
        name, equals, _ = params[-1].partition("=")
        if equals:
            return _values(properties.get(name, {}))
        given = {param.partition("=")[0] for param in params[:-1]}
        return [f"{name}=" for name in properties if name not in given]


def magic_words(text: str, line_number: int) -> list[str]:
    """The words of a magic up to the cursor, with the unfinished one last; none elsewhere.

    For a cell magic they are those of `load`, which takes a plugin id as they do.
    """
    cell = _CELL_MAGIC.match(text) if line_number == 0 else None
    if cell is not None:
        return ["load", cell["rest"]]
    found = _LINE_MAGIC.match(text)
    if found is None:
        return []
    words = found["rest"].split()
    return words if words and not found["rest"][-1].isspace() else [*words, ""]


def _fragment(word: str) -> str:
    """The part of a word that a completion takes the place of: a param's value by itself."""
    return word.partition("=")[2] if "=" in word else word


def _values(schema: Mapping[str, Any]) -> list[str]:
    if schema.get("type") == "boolean":
        return ["true", "false"]
    choices = schema.get("enum", ())
    return [one if isinstance(one, str) else json.dumps(one) for one in choices]
