"""The params of an operation, from the words of a command line."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from nebula_lab.cli.values import from_json

Schemas = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Named:
    """A word `name=value`, whose meaning depends on the type of the param."""

    name: str
    text: str


Word = Named | dict[str, Any]


def read_words(words: Sequence[str]) -> list[Word]:
    """Read JSON objects, `-` for one on standard input, and `name=value` words.

    Raises:
        BadParameter: a word is none of these.
    """
    return [_read_word(word) for word in words]


def read_object(text: str) -> dict[str, Any]:
    """A JSON object; null is an empty one, and `-` one on standard input.

    Raises:
        BadParameter: it is something else.
    """
    text = sys.stdin.read() if text == "-" else text
    try:
        value = from_json(text)
    except ValueError as error:
        raise click.BadParameter(f"{text[:80]!r} is not JSON: {error}") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise click.BadParameter(f"{text[:80]!r} is not a JSON object")
    return value


def params_from(words: Sequence[Word], schemas: Schemas) -> dict[str, Any]:
    """The params that the words give; later ones win.

    Args:
        words: as `read_words` gives them.
        schemas: the JSON Schema of each param that the operation names.

    Raises:
        BadParameter: a file that is named can't be read.
    """
    params: dict[str, Any] = {}
    for word in words:
        if isinstance(word, Named):
            params[word.name] = _value(word, schemas.get(word.name, {}))
        else:
            params |= word
    return params


def _read_word(word: str) -> Word:
    if word == "-" or word.startswith("{"):
        return read_object(word)
    name, equals, text = word.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{word[:80]!r}: write params as name=value or as a JSON object")
    return Named(name, text)


def _value(word: Named, schema: Mapping[str, Any]) -> Any:
    """Text where the schema asks for text, else JSON or a Python literal, and text after all."""
    takes_bytes = schema.get("format") == "bytes"
    text = word.text
    if text.startswith("@@"):
        text = text[1:]
    elif text.startswith("@"):
        content = _content(word.name, text[1:])
        return content if takes_bytes else _as_text(word.name, content)
    if takes_bytes:
        return text.encode()
    if schema.get("type") == "string":
        return text
    try:
        return from_json(text)
    except ValueError:
        return _literal(text)


def _content(name: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{name}: {path} can't be read: {error}") from None


def _as_text(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise click.BadParameter(f"{name}: the file is not text in UTF-8") from None


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
