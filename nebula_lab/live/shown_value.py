"""A result as text that can be shown: JSON where it is that, and never more than fits a screen."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Any, Literal

import msgspec

from nebula_lab.views.safe_text import prose

MOST_ITEMS = 200  # of one list or object
MOST_CHARACTERS = 2_000  # of one text within a list or object
MOST_BYTES = 64  # of one value of bytes
MOST_DEPTH = 12
TEXT_LIMIT = 50_000

Language = Literal["json", "text"]


def shown(value: Any) -> tuple[str, Language]:
    """A result, and which language it is in."""
    if isinstance(value, str):
        return prose(value, TEXT_LIMIT), "text"
    budget = _Budget()
    plain = budget.plain(value, 0)
    if budget.is_foreign:
        return prose(value, TEXT_LIMIT), "text"
    text = msgspec.json.format(msgspec.json.encode(plain), indent=2).decode(errors="replace")
    return prose(text, TEXT_LIMIT), "json"


class _Budget:
    """Takes so many values in all, and then leaves out.

    Attributes:
        is_foreign: the value itself is something that JSON has not, such as an array.
    """

    def __init__(self) -> None:
        self.is_foreign = False
        self._left = 5_000

    def plain(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if self._left < 0 or depth > MOST_DEPTH:
            return "…"
        match value:
            case None | bool() | int():
                return value
            case float():
                return value if math.isfinite(value) else str(value)
            case str():
                return prose(value, MOST_CHARACTERS)
            case bytes():
                return _bytes(value)
            case datetime():
                return value.isoformat()
            case list() | tuple():
                return self._list(value, len(value), depth)
            case dict():
                return self._object(value, depth)
        self.is_foreign = self.is_foreign or depth == 0
        return prose(value, MOST_CHARACTERS)

    def _list(self, values: Iterable[Any], count: int, depth: int) -> list[Any]:
        plain = [self.plain(one, depth + 1) for one in islice(values, MOST_ITEMS)]
        if count > MOST_ITEMS:
            plain.append(f"… {count - MOST_ITEMS:,} more")
        return plain

    def _object(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        plain = {
            prose(key, MOST_CHARACTERS): self.plain(one, depth + 1)
            for key, one in islice(value.items(), MOST_ITEMS)
        }
        if len(value) > MOST_ITEMS:
            plain["…"] = f"{len(value) - MOST_ITEMS:,} more"
        return plain


def _bytes(value: bytes) -> str:
    start = base64.b64encode(value[:MOST_BYTES]).decode()
    return f"{len(value):,} bytes: {start}" + ("…" if len(value) > MOST_BYTES else "")
