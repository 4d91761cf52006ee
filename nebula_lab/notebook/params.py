"""The params of `%plugin call`, from the words of its line."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping
from typing import Any

from IPython.core.error import UsageError


def read_params(
    words: Iterable[str],
    schemas: Mapping[str, Mapping[str, Any]],
    variables: Mapping[str, Any],
) -> dict[str, Any]:
    """Read `key=value` words, JSON objects and `$name` words; later ones win.

    Args:
        words: as they were typed, with their quotes.
        schemas: the schema of each param that the operation names.
        variables: what `$name` may stand for.

    Raises:
        UsageError: a word is none of these.
    """
    params: dict[str, Any] = {}
    for word in words:
        if word.startswith(("{", "$")):
            params.update(_mapping(word, variables))
        else:
            name, equals, text = word.partition("=")
            if not equals or not name:
                raise UsageError(f"{word}: write params as name=value, as JSON, or as $variable")
            params[name] = read_value(text, schemas.get(name, {}), variables)
    return params


def read_value(text: str, schema: Mapping[str, Any], variables: Mapping[str, Any]) -> Any:
    """One value: `$name`, a quoted text, JSON or a Python literal, and otherwise the text itself.

    Where the schema asks for a text, what is not quoted is a text, also if it looks like a number.
    """
    if text.startswith("$"):
        return _variable(text[1:], variables)
    if text[:1] in ("'", '"'):
        return _literal(text)
    if schema.get("type") == "string":
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _literal(text)


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _mapping(word: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
    value = read_value(word, {}, variables)
    if not isinstance(value, Mapping):
        raise UsageError(f"{word[:80]}: a JSON object was expected, found {_kind(word, value)}")
    return value


def _kind(word: str, value: Any) -> str:
    return "something that is not JSON" if value == word else f"a {type(value).__name__}"


def _variable(name: str, variables: Mapping[str, Any]) -> Any:
    if name not in variables:
        raise UsageError(f"${name}: there is no variable {name!r} in this notebook")
    return variables[name]
