"""JSON text into plain values, with lines."""

from __future__ import annotations

import json
from typing import Any

from nebula_lab.model.complaints import Location
from nebula_lab.model.syntax import DocumentSyntaxError, LineFinder, too_deep

__all__ = ["parse_json"]


def parse_json(text: str) -> tuple[Any, LineFinder]:
    """What `text` says, and where.

    Raises:
        DocumentSyntaxError: it is not JSON, or says one key twice.
    """
    try:
        data = json.loads(text, object_pairs_hook=_without_repeats)
    except json.JSONDecodeError as error:
        raise DocumentSyntaxError(f"not valid JSON: {error.msg}", line=error.lineno) from None
    except RecursionError:
        raise too_deep() from None
    # JSON is YAML too, but for tabs; the slow way to the lines is taken only to report an error.
    return data, lambda location: _line(text, location)


def _line(text: str, location: Location) -> int | None:
    from nebula_lab.model.yaml_document import yaml_line

    return yaml_line(text.expandtabs(1), location)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise DocumentSyntaxError(f"the key {twice!r} is there twice", hint="Keep one of them.")
    return found
