"""Calls to begin with: one for each operation, with values that its schema takes."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from keyword import iskeyword
from typing import Any

from nebula_lab.live.rows import SampleRow
from nebula_lab.manager import PluginManager
from nebula_lab.runtime.operation import Operation
from nebula_lab.views.safe_text import line, prose

MOST_SAMPLES = 2_000
_LONGEST = 2_000  # characters of one sample
_EMPTY: Mapping[str, Any] = {
    "integer": 0,
    "number": 0.0,
    "string": "",
    "boolean": False,
    "null": None,
    "array": [],
    "object": {},
}


def samples(manager: PluginManager) -> Iterator[SampleRow]:
    """A sample for each operation that is known without loading anything."""
    for plugin_id in manager:
        for operation in manager.operations(plugin_id, load=False).values():
            row = _sample(plugin_id, operation)
            if len(row.code) <= _LONGEST:
                yield row


def _sample(plugin_id: str, operation: Operation) -> SampleRow:
    required = operation.params.required
    params = {
        name: example(schema)
        for name, schema in operation.params.properties.items()
        if name in required
    }
    return SampleRow(
        plugin=plugin_id,
        operation=line(operation.name),
        description=prose(operation.description, 1_000),
        code=_code(plugin_id, operation.name, params),
        magic=_magic(plugin_id, operation.name, params),
    )


def example(schema: Mapping[str, Any]) -> Any:
    """The simplest value that a schema names: its default, a value of its enum, or an empty one."""
    for keyword in ("default", "const"):
        if keyword in schema:
            return schema[keyword]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example(schema["anyOf"][0])
    empty = _EMPTY.get(schema.get("type", ""))
    low = schema.get("minimum")
    return low if low is not None and not isinstance(empty, list | dict) else empty


def _code(plugin_id: str, operation: str, params: Mapping[str, Any]) -> str:
    if all(map(_is_name, (operation, *params))):
        arguments = ", ".join(f"{name}={_literal(value)}" for name, value in params.items())
        return f"plugins[{_literal(plugin_id)}].{operation}({arguments})"
    words = ", ".join(map(_literal, (plugin_id, operation, dict(params))))
    return f"plugins.execute({words})"


def _is_name(text: str) -> bool:
    return text.isidentifier() and not iskeyword(text)


def _magic(plugin_id: str, operation: str, params: Mapping[str, Any]) -> str:
    """As a magic, each word quoted where it must be; as Python where no line can hold it."""
    if not f"{plugin_id}{operation}".isprintable() or operation.startswith("-"):
        return _code(plugin_id, operation, params)
    words = f"%plugin call {shlex.quote(plugin_id)} {shlex.quote(operation)}"
    return f"{words} {json.dumps(dict(params))}" if params else words


def _literal(value: Any) -> str:
    """As Python; what has no visible character is escaped, as it comes from a plugin."""
    return ascii(value) if not repr(value).isprintable() else repr(value)
