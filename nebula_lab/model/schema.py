"""The schemas that a plugin supplies, compiled to checks of params.

They come out of a sandbox, so nothing in them is trusted: JSON Schema (2020-12) in a closed
vocabulary, without `$ref` and `pattern`, bounded in size and depth. What is compiled is a copy.

Where we differ from the specification: a bool is no number; an integer is an `int`, and 1.0 is
none; NaN keeps to no bound; a tuple is an array; `{"type": "string", "format": "bytes"}` is bytes
and has its length in bytes; `format: date-time` is a `datetime` or a text in ISO 8601.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from nebula_lab.errors import MetadataLoadError
from nebula_lab.model.schema_check import Check, Mismatch, compile_checks
from nebula_lab.model.schema_exact import plain_fit
from nebula_lab.model.schema_reading import SchemaFault, read_schema

__all__ = ["CompiledSchema", "SchemaViolation", "compile_schema"]

MAX_BYTES = 262_144
MAX_DEPTH = 32


class SchemaViolation(Struct, frozen=True):
    """What does not fit.

    Attributes:
        element: path to the element, such as `params.rows[3].name`.
        expected: what the schema asks for there, in a few words.
        found: what is there instead, as a repr of at most 80 characters, or in words.
    """

    element: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.element}: expected {self.expected}, found {self.found}"


class CompiledSchema:
    """A schema that has been checked itself, ready to check values.

    Attributes:
        schema: our own copy of it, in the closed vocabulary.
        is_plain_fit: True for many a value that fits and is plain, at one look; False says nothing.
    """

    def __init__(self, schema: dict[str, Any], check: Check) -> None:
        self.schema = schema
        self._check = check
        self.is_plain_fit = plain_fit(schema)

    @property
    def properties(self) -> dict[str, dict[str, Any]]:
        """The schemas of the named params; empty when the schema names none."""
        named: dict[str, dict[str, Any]] = self.schema.get("properties", {})
        return named

    @property
    def required(self) -> tuple[str, ...]:
        """The params that can't be left out."""
        return tuple(self.schema.get("required", ()))

    def check(self, value: object, path: str = "params") -> SchemaViolation | None:
        """None when the value fits, else the first thing about it that does not.

        Args:
            value: what is to be sent.
            path: what the value is called in `SchemaViolation.element`.
        """
        mismatch = self._check(value)
        return None if mismatch is None else _violation(mismatch, path)


def compile_schema(
    schema: object, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH
) -> CompiledSchema:
    """Check a schema and make it ready to check values.

    Args:
        schema: as it came from the plugin.
        max_bytes: how long it may be as JSON, in UTF-8.
        max_depth: how many schemas may be inside each other, and how many lists and objects
            inside a `default`, `enum` or `const`.

    Raises:
        MetadataLoadError: it is outside the closed vocabulary, of a wrong type, too deep or too
            large; the message names the element, such as `schema.properties.rows.items`.
    """
    try:
        copy = read_schema(schema, max_bytes=max_bytes, max_depth=max_depth)
    except SchemaFault as fault:
        raise MetadataLoadError(str(fault), hint=fault.hint) from None
    return CompiledSchema(copy, compile_checks(copy))


def _violation(mismatch: Mismatch, path: str) -> SchemaViolation:
    return SchemaViolation(path + mismatch.path, mismatch.expected, mismatch.found)
