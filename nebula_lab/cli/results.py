"""Prints what an operation gave."""

from __future__ import annotations

import sys
from typing import Any

from nebula_lab.cli.values import to_json
from nebula_lab.runtime.stream import Stream
from nebula_lab.views.safe_text import stream_text


def print_result(result: Any, *, raw: bool = False) -> None:
    """Print a result as JSON, and of a stream each item on a line of its own as it comes.

    Args:
        result: what `execute` returned.
        raw: write text and bytes as they are, and nothing around them; to a terminal, which they
            could steer, as text that is fit for it.
    """
    if not isinstance(result, Stream):
        _print_value(result, indent=2, raw=raw)
        return
    with result as items:
        for item in items:
            _print_value(item, indent=None, raw=raw)


def _print_value(value: Any, *, indent: int | None, raw: bool) -> None:
    if raw and isinstance(value, bytes | str):
        sys.stdout.buffer.write(_raw(value))
    else:
        print(to_json(value, indent=indent))
    # Whoever reads a stream gets each item when it is there.
    sys.stdout.flush()


def _raw(value: bytes | str) -> bytes:
    if not sys.stdout.isatty():
        return value if isinstance(value, bytes) else value.encode()
    text = value.decode(errors="replace") if isinstance(value, bytes) else value
    return stream_text(text, colours=False).encode()
