"""Results as plain values, which is what crosses a sandbox."""

from __future__ import annotations

import dataclasses
import datetime
import enum
from typing import Any

from nebula_lab.plugin.errors import PluginError

# What crosses as it is.
_LEAVES = frozenset({type(None), bool, int, float, str})
_ATOMS = _LEAVES | {bytes, datetime.datetime}
_KEYS = frozenset({str})
_DEPTH = 100


def is_plain(value: Any, depth: int = _DEPTH) -> bool:
    """Whether a value is made of dicts with text keys, lists and leaves alone.

    Datetimes are none, and bytes are not, since many of them travel in another way.

    Nearly all values are, and this tells at C speed that nothing need be done about one.

    Args:
        value: to look at.
        depth: how many containers may be inside each other; deeper ones do not pass.
    """
    kind = type(value)
    if kind in _LEAVES:
        return True
    if depth <= 0:
        return False
    if kind is dict:
        if not _KEYS.issuperset(map(type, value)):
            return False
        elements = value.values()
    elif kind is list:
        elements = value
    else:
        return False
    if _LEAVES.issuperset(map(type, elements)):
        return True
    for element in elements:
        if type(element) not in _LEAVES and not is_plain(element, depth - 1):
            return False
    return True


def to_plain(value: Any) -> Any:
    """A result as plain values: dataclasses and named tuples as dicts, an Enum as its value,
    tuples and sets as lists, all the way down. Anything else stays as it is.

    Raises:
        PluginError: the value contains itself, or is nested too deeply to walk.
    """
    if is_plain(value):
        return value
    try:
        return _plain(value)
    except RecursionError:
        raise PluginError(
            f"the {type(value).__name__} contains itself or is nested too deeply",
            hint="Return values that end.",
        ) from None


def plain_or_none(value: Any) -> Any:
    """`to_plain`, and None for a value that has no end."""
    try:
        return to_plain(value)
    except PluginError:
        return None


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is list:
        # A long column of numbers is passed on after one pass in C.
        return value if _ATOMS.issuperset(map(type, value)) else [_plain(one) for one in value]
    if kind is dict:
        if _ATOMS.issuperset(map(type, value.values())):
            return value
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, enum.Enum):
        return _plain(value.value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (tuple, set, frozenset)):
        return _plain_collection(value)
    return value


def _plain_collection(value: Any) -> Any:
    names = getattr(value, "_fields", None)
    if isinstance(value, tuple) and isinstance(names, tuple):
        return {name: _plain(one) for name, one in zip(names, value, strict=True)}
    return [_plain(one) for one in value]
