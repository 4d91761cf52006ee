"""Whether a value is what a type hint says, as far as that can be told at one look."""

from __future__ import annotations

import inspect
import sys
import types
import typing
from typing import Any

# A hint for one of these is true of the other kinds of numbers, too.
_NUMBERS: dict[Any, tuple[type, ...]] = {float: (float, int), complex: (complex, float, int)}
_WRAPPERS = (typing.Final, typing.ClassVar, typing.Annotated)


def hint_of(kind: type, name: str) -> Any:
    """The hint of a class's attribute; `Any` where there is none that can be resolved."""
    for base in kind.__mro__:
        try:
            hint = inspect.get_annotations(base)[name]
            scope = vars(sys.modules[base.__module__])
            holder = types.SimpleNamespace(__annotations__={name: hint})
            return typing.get_type_hints(holder, scope, dict(vars(base)))[name]
        except KeyError:
            continue
        except Exception:  # noqa: BLE001 - it is any expression of the plugin's
            return Any
    return Any


def fits(value: Any, hint: Any) -> bool:
    """Whether a value may be what a hint says; its elements are not looked at."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in arguments)
    if origin is typing.Literal:
        return value in arguments
    if origin in _WRAPPERS:
        return fits(value, arguments[0])
    kind = _NUMBERS.get(hint, hint) if origin is None else origin
    try:
        return isinstance(value, kind)
    except TypeError:  # a type variable, say, or a protocol, which say nothing at one look
        return True
