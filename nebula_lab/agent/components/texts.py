"""Values as the JSON that crosses the boundary of a component."""

from __future__ import annotations

import json
import math
from typing import Any

from nebula_lab.wire.errors import ValueNotSupportedError

_LEAVES = (str, int, bool, type(None))
MAX_TEXT = 64 * 2**20  # characters that are taken from a component at once


class GuestError(Exception):
    """A component gave what no plugin gives."""


def to_text(value: Any, element: str) -> str:
    """A value as JSON.

    Raises:
        ValueNotSupportedError: it has something in it that JSON does not have.
    """
    _require_json(value, element)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _require_json(value: Any, element: str) -> None:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueNotSupportedError(element, f"{value}, which JSON does not have")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                found = f"a key that is {type(key).__name__}; a component takes text alone"
                raise ValueNotSupportedError(element, found)
            _require_json(item, f"{element}.{key}")
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _require_json(item, f"{element}[{number}]")
    elif not isinstance(value, _LEAVES):
        found = f"{type(value).__name__}; a WebAssembly component takes what JSON has, and no more"
        raise ValueNotSupportedError(element, found)


def from_text(text: str, what: str) -> Any:
    """What a component gave as JSON.

    Raises:
        GuestError: it is none, or too much.
    """
    if len(text) > MAX_TEXT:
        raise GuestError(
            f"{what} has {len(text):,} characters; at most {MAX_TEXT:,} are taken at once"
        )
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise GuestError(f"{what} is not JSON: {error}") from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
