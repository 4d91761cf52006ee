"""The keywords `enum` and `const`, which list the values themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nebula_lab.model.schema_mismatch import Check, Mismatch
from nebula_lab.model.schema_words import in_words


def value_checks(schema: Mapping[str, Any]) -> Iterable[Check]:
    """A check for each list of values that a schema has."""
    if "enum" in schema:
        yield _enum_check(schema["enum"])
    if "const" in schema:
        yield _enum_check([schema["const"]])


def _enum_check(allowed: list[Any]) -> Check:
    keys = [_json_key(value) for value in allowed]
    expected = in_words({"enum": allowed})

    def check(value: object) -> Mismatch | None:
        return None if _json_key(value) in keys else Mismatch(expected, value)

    if all(type(value) in (str, type(None)) for value in allowed):
        quick = frozenset(allowed)
        return lambda value: (
            None if value.__class__ in (str, type(None)) and value in quick else check(value)
        )
    return check


def _json_key(value: object) -> object:
    """Something equal for values that JSON holds equal: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, (list, tuple)):
        return [_json_key(one) for one in value]
    if isinstance(value, dict):
        return {key: _json_key(one) for key, one in value.items()}
    # An object of any other class may answer `==` with what it likes: it is equal to nothing.
    return value if isinstance(value, (str, int, float, type(None))) else object()
