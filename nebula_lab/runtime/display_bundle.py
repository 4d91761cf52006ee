"""A MIME bundle as a plugin sent it, and the part of it that a front end may have."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from nebula_lab.plugin.safe_text import prose
from nebula_lab.runtime.display_types import LARGEST, UnfitError, reader_of

_MOST_TYPES = 20
_LONGEST_TYPE = 100  # characters
# What metadata may say of a type: how large and on which ground, and a text in place of an image.
_METADATA: Mapping[str, type | tuple[type, ...]] = {
    "width": (int, float),
    "height": (int, float),
    "unconfined": bool,
    "expanded": bool,
    "isolated": bool,
    "needs_background": str,
    "alt": str,
}
_LONGEST_METADATA = 1_000  # characters


class SafeBundle(Struct, frozen=True):
    """What may be shown.

    Attributes:
        data: by MIME type.
        metadata: by MIME type.
        left_out: why the others are not in it, by MIME type.
    """

    data: dict[str, Any]
    metadata: dict[str, Any]
    left_out: dict[str, str]

    @property
    def size(self) -> int:
        """Characters, roughly."""
        return sum(map(_size, self.data.values()))


def safe_bundle(bundle: Any, *, rich: bool) -> SafeBundle:
    """Check each type of a bundle.

    Args:
        bundle: anything; `data` and `metadata` are looked for in it.
        rich: the plugin may display what a browser runs.
    """
    data = _mapping(bundle, "data")
    kept: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    room = LARGEST
    for mime, value in list(data.items())[:_MOST_TYPES]:
        if not isinstance(mime, str) or len(mime) > _LONGEST_TYPE:
            continue
        try:
            read = reader_of(mime, rich=rich)(value)
            room -= _size(read)
            if room < 0:
                raise UnfitError(f"the display is larger than {LARGEST // 1_000_000} MB")
            kept[mime] = read
        except UnfitError as error:
            left_out[mime] = str(error)
    return SafeBundle(kept, _safe_metadata(_mapping(bundle, "metadata"), kept), left_out)


def display_id(bundle: Any) -> str | None:
    """The plugin's own name for a display, where it gave one."""
    name = _mapping(bundle, "transient").get("display_id")
    return name[:_LONGEST_METADATA] if isinstance(name, str) else None


def _mapping(bundle: Any, key: str) -> Mapping[Any, Any]:
    value = bundle.get(key) if isinstance(bundle, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _safe_metadata(metadata: Mapping[Any, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of the types that are shown; anything else could steer the front end."""
    safe = {
        mime: {
            key: value if not isinstance(value, str) else prose(value, _LONGEST_METADATA)
            for key, value in said.items()
            if isinstance(key, str) and _is_safe(key, value)
        }
        for mime, said in metadata.items()
        if isinstance(mime, str) and mime in data and isinstance(said, Mapping)
    }
    return {mime: said for mime, said in safe.items() if said}


def _is_safe(key: str, value: Any) -> bool:
    kind = _METADATA.get(key)
    if kind is None or not isinstance(value, kind):
        return False
    if isinstance(value, bool):
        return kind is bool
    return not isinstance(value, float) or math.isfinite(value)


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return 2 + sum(_size(key) + _size(one) + 2 for key, one in value.items())
    if isinstance(value, list):
        return 2 + sum(_size(one) + 1 for one in value)
    return 8
