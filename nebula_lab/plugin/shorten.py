"""Values as short texts for messages."""

from __future__ import annotations

import reprlib

MAX_SHOWN = 80


def short_repr(value: object, limit: int = MAX_SHOWN) -> str:
    """A value's repr in at most `limit` characters, without writing out what is cut away."""
    shortened = reprlib.Repr()
    shortened.maxlevel = 3
    shortened.maxstring = shortened.maxother = shortened.maxlong = limit
    shortened.maxdict = shortened.maxlist = shortened.maxtuple = 4
    try:
        if isinstance(value, (bytes, bytearray, memoryview)):  # reprlib writes these out in full
            text = _bytes_text(value)
        else:
            text = shortened.repr(value)
    except ValueError:  # an int of more digits than Python turns into text, or a released buffer
        text = f"a value of type {type(value).__name__} that can't be shown"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def path_step(key: object) -> str:
    """A dict key as one step of a path: `.name`, or `['odd key']`."""
    if isinstance(key, str) and key.isidentifier():
        return f".{key}" if len(key) <= MAX_SHOWN else f".{key[: MAX_SHOWN - 1]}…"
    return f"[{short_repr(key)}]"


def _bytes_text(value: bytes | bytearray | memoryview) -> str:
    size = memoryview(value).nbytes
    return f"{type(value).__name__} of {size} byte{'' if size == 1 else 's'}"
