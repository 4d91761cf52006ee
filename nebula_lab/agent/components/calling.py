"""Calls a function that a component exports: texts in, one of the world's types out.

wasmtime's Python binding asks for the types of a function at each call, and of each `option` and
`result` that it takes apart it leaves some bytes behind, so that a host would run out of memory
after a million calls. Here the types are looked at once, and a result is given back as a whole.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from wasmtime import Store, WasmtimeError
from wasmtime import _bindings as bindings
from wasmtime.component import Func

_Value = bindings.wasmtime_component_val_t
_Bytes = ctypes.POINTER(ctypes.c_uint8)
_STRING = 12  # WASMTIME_COMPONENT_STRING
# What types are made of, by the names that the binding has for it.
_PARTS = ("fields", "names", "ok", "err", "payload")


def shape(kind: Any) -> Any:
    """A type in words and lists of words, so that it can be compared."""
    if kind is None or isinstance(kind, str):
        return kind
    if isinstance(kind, list | tuple):
        return [shape(one) for one in kind]
    name = type(kind).__name__
    parts = [shape(getattr(kind, part)) for part in _PARTS if hasattr(kind, part)]
    return [name, *parts] if parts else name


class TextFunction:
    """A function that takes texts.

    Args:
        store: of its instance; used by one thread at a time.
        function: as the instance exports it.
        texts: how many it takes.
        result: the shape of what it gives.

    Raises:
        TypeError: it takes or gives something else.
    """

    def __init__(self, store: Store, function: Func, texts: int, result: Any) -> None:
        kind = function.type(store)
        if [shape(one) for _, one in kind.params] != ["String"] * texts:
            raise TypeError(
                f"it does not take what the world says: {texts} string{'s' * (texts != 1)}"
            )
        if shape(kind.result) != result:
            raise TypeError("it gives something else than the world says")
        self._store = store
        self._function = function
        self._given = (_Value * texts)()
        for value in self._given:
            value.kind = _STRING
        self._gives = int(result is not None)

    def __call__(self, *texts: str) -> Any:
        """What it gives: a text, None, or something with the fields of a record.

        Raises:
            WasmtimeError: it did not come to its end.
        """
        kept = [text.encode() for text in texts]  # as long as they are pointed to
        for value, content in zip(self._given, kept, strict=True):
            value.of.string.size = len(content)
            value.of.string.data = ctypes.cast(ctypes.c_char_p(content), _Bytes)
        at, result = ctypes.byref(self._function._func), _Value()
        _require_done(
            bindings.wasmtime_component_func_call(
                at,
                self._store._context(),
                self._given,
                len(kept),
                ctypes.byref(result) if self._gives else None,
                self._gives,
            )
        )
        try:
            said = _taken(result) if self._gives else None
        finally:
            bindings.wasmtime_component_val_delete(ctypes.byref(result))
        _require_done(bindings.wasmtime_component_func_post_return(at, self._store._context()))
        return said


def _require_done(error: Any) -> None:
    if error:
        raise WasmtimeError._from_ptr(error)


def _taken(value: Any) -> Any:
    return _TAKES[value.kind](value.of)


def _text(vector: Any) -> str:
    return ctypes.string_at(vector.data, vector.size).decode() if vector.size else ""


def _held(pointer: Any) -> Any:
    return _taken(pointer.contents) if pointer else None


def _record(of: Any) -> SimpleNamespace:
    entries = [of.record.data[number] for number in range(of.record.size)]
    return SimpleNamespace(**{_text(one.name): _taken(one.val) for one in entries})


# By the kinds of values: WASMTIME_COMPONENT_STRING and so on.
_TAKES: dict[int, Callable[[Any], Any]] = {
    _STRING: lambda of: _text(of.string),
    14: _record,
    17: lambda of: _text(of.enumeration),
    18: lambda of: _held(of.option),
    19: lambda of: _held(of.result.val),
}
