"""Help on the operations of a plugin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nebula_lab.plugin.shorten import short_repr
from nebula_lab.runtime.operation import Operation
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.safe_text import escaped, escaped_prose, line, prose
from nebula_lab.views.schema_words import type_words
from nebula_lab.views.table import Column, Table

_COLUMNS = (Column("param"), Column("type"), Column("default"), Column("meaning"))
_DESCRIPTION_LIMIT = 2_000


def operations_help(plugin_id: str, operations: Mapping[str, Operation]) -> Rendered:
    """Every operation: how it is called, what it does, and its params with types and defaults."""
    if not operations:
        empty = f"{plugin_id} names no operations; it decides on each call by itself."
        return Rendered(line(empty), f"<p>{escaped(empty)}</p>")
    entries = [_operation(operation) for operation in operations.values()]
    return Rendered(
        "\n\n".join(entry.text for entry in entries), "".join(entry.html for entry in entries)
    )


def _operation(operation: Operation) -> Rendered:
    rows = list(_rows(operation))
    signature = operation.signature or operation.name
    traits = ", ".join(_traits(operation))
    text = [line(signature, 1_000) + (f"   [{traits}]" if traits else "")]
    html = f"<p><code>{escaped(signature, 1_000)}</code> {escaped(traits)}</p>"
    if operation.description:
        text.append("    " + prose(operation.description, _DESCRIPTION_LIMIT))
        html += f"<p>{escaped_prose(operation.description, _DESCRIPTION_LIMIT)}</p>"
    if rows:
        table = Table(f"Params of {line(operation.name)}", _COLUMNS, rows, empty="").rendered()
        _, _, grid = table.text.partition("\n")
        text.append("    " + grid.replace("\n", "\n    "))
        html += table.html
    return Rendered("\n".join(text), html)


def _traits(operation: Operation) -> Iterator[str]:
    if operation.stream:
        yield "streams its results"
    if operation.is_async:
        yield "runs beside other calls"
    if operation.idempotent:
        yield "may be repeated"


def _rows(operation: Operation) -> Iterator[tuple[object, ...]]:
    required = operation.params.required
    for name, schema in operation.params.properties.items():
        default = "required" if name in required else _default(schema)
        yield name, type_words(schema), default, schema.get("description", "")


def _default(schema: Mapping[str, Any]) -> str:
    return short_repr(schema["default"]) if "default" in schema else ""
