"""The types that a plugin may display, and what of each may reach a front end."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from nebula_lab.plugin.safe_text import prose, stream_text
from nebula_lab.runtime.markup import harmless_latex, harmless_markdown

LARGEST = 10_000_000  # characters or bytes of one type
# A front end draws it as a tree, and a parser of Markdown may take its time in the square of it.
DEEPEST_JSON = 50
MOST_JSON = 100_000  # elements
LONGEST_MARKUP = 100_000  # characters
LONGEST_TEXT = 1_000_000  # characters of text/plain
_TOO_LARGE = f"larger than {LARGEST // 1_000_000} MB"


class UnfitError(Exception):
    """A value that is not shown; the text says why, in words that go after "left out: "."""


Reader = Callable[[Any], Any]


def _text(value: Any, limit: int = LARGEST) -> str:
    if not isinstance(value, str):
        raise UnfitError("not a text")
    if len(value) > limit:
        raise UnfitError(f"longer than {limit:,} characters")
    return value


def _plain(value: Any) -> str:
    text = _text(value)
    return stream_text(text) if len(text) <= LONGEST_TEXT else prose(text, LONGEST_TEXT)


def _markup(harmless: Callable[[str], str], value: Any) -> str:
    return harmless(prose(_text(value, LONGEST_MARKUP), LONGEST_MARKUP))


def _image(is_one: Callable[[bytes], bool], value: Any) -> str:
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else _text(value)
    try:
        start = base64.b64decode("".join(text[:128].split())[:64], validate=True)
        content = base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise UnfitError("not an image in base64") from None
    if len(content) > LARGEST:
        raise UnfitError(_TOO_LARGE)
    if not is_one(start):
        raise UnfitError("its bytes are of another type")
    # As it was understood: a lenient reader passes over whatever else stood there.
    understood = base64.b64encode(content).decode()
    return text if "".join(text.split()) == understood else understood


def _starts(*magic: bytes) -> Callable[[bytes], bool]:
    return lambda start: start.startswith(magic)


def _is_webp(start: bytes) -> bool:
    return start[:4] == b"RIFF" and start[8:12] == b"WEBP"


def _json(value: Any) -> Any:
    left = [MOST_JSON]
    return _element(value, 0, left)


def _element(value: Any, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if left[0] < 0:
        raise UnfitError(f"of more than {MOST_JSON:,} elements")
    if depth > DEEPEST_JSON:
        raise UnfitError(f"nested more than {DEEPEST_JSON} deep")
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise UnfitError("not JSON")
        return {key: _element(one, depth + 1, left) for key, one in value.items()}
    if isinstance(value, list):
        return [_element(one, depth + 1, left) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None  # which JSON lacks, and a browser's parser refuses
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise UnfitError("not JSON")


def _any(value: Any) -> Any:
    return _text(value) if isinstance(value, str) else _json(value)


_PNG = _starts(b"\x89PNG\r\n\x1a\n")
READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "text/plain": _plain,
        "text/markdown": partial(_markup, harmless_markdown),
        "text/latex": partial(_markup, harmless_latex),
        "application/json": _json,
        "image/png": partial(_image, _PNG),
        "image/jpeg": partial(_image, _starts(b"\xff\xd8\xff")),
        "image/gif": partial(_image, _starts(b"GIF87a", b"GIF89a")),
        "image/webp": partial(_image, _is_webp),
    }
)
# Run, or fetch what they name, in the browser of whoever looks; so the plugin has to be granted it.
# Whoever may do that may write any HTML in Markdown too.
RICH_READERS: Mapping[str, Reader] = MappingProxyType(
    {
        **READERS,
        "text/markdown": _text,
        "text/latex": _text,
        "text/html": _text,
        "image/svg+xml": _text,
        "application/javascript": _text,
        "text/javascript": _text,
        "application/pdf": partial(_image, _starts(b"%PDF-")),
    }
)
_RICH_PREFIXES = ("application/vnd.", "text/vnd.")
# The comm messages behind a widget stay in the plugin's kernel: in the notebook it would be dead.
_WIDGETS = "application/vnd.jupyter.widget-"


def reader_of(mime: str, *, rich: bool) -> Reader:
    """What checks values of a type.

    Raises:
        UnfitError: the type is not shown.
    """
    if mime.startswith(_WIDGETS):
        raise UnfitError("widgets of a plugin's kernel can't be shown elsewhere")
    reader = (RICH_READERS if rich else READERS).get(mime)
    if reader is None and rich and mime.startswith(_RICH_PREFIXES):
        return _any
    if reader is None:
        raise UnfitError(
            "no front end shows it" if rich else "the plugin has no capability RichDisplay"
        )
    return reader
