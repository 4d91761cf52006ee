"""Calls what a component exports: texts and small numbers in, one of a world's types out.

wasmtime's Python binding asks for the types of a function at each call and makes each value anew,
which is a fifth of the time of a small call; and of each `option` and `result` that it takes apart
it leaves some bytes behind, so that a host would run out of memory after a million calls. Here the
types are looked at once, the memory of one set of values serves all calls, and a result is given
back as a whole.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from wasmtime import Store, WasmtimeError
from wasmtime import _bindings as bindings
from wasmtime import _ffi as ffi
from wasmtime.component import Func

from nebula_lab.agent.components.refusal import RefusedError


def _offset(kind: Any, field: str) -> int:
    """Where a field begins in a structure, in bytes."""
    return int(getattr(kind, field).offset)


_Value = bindings.wasmtime_component_val_t
_WIDTH = ctypes.sizeof(_Value)
_OF = _offset(_Value, "of")
_UNION = bindings.wasmtime_component_valunion_t
_TEXT = _OF + _offset(_UNION, "string")
_SIZE = _TEXT + _offset(bindings.wasm_byte_vec_t, "size")
_DATA = _TEXT + _offset(bindings.wasm_byte_vec_t, "data")
_NUMBER = _OF + _offset(_UNION, "u32")
_OUTCOME = _OF + _offset(_UNION, "result")
_IS_OK = _OUTCOME + _offset(bindings.wasmtime_component_valresult_t, "is_ok")
_HELD = _OUTCOME + _offset(bindings.wasmtime_component_valresult_t, "val")
# The kinds of values.
_IS_BOOL, _IS_U32, _IS_STRING, _IS_RECORD, _IS_ENUM, _IS_OPTION, _IS_RESULT = (
    int(getattr(ffi, f"WASMTIME_COMPONENT_{name}").value)
    for name in ("BOOL", "U32", "STRING", "RECORD", "ENUM", "OPTION", "RESULT")
)
# What types are made of, by the names that the binding has for it.
_PARTS = ("fields", "names", "ok", "err", "payload")
_TEXT_OR_TEXT = ["ResultType", "String", "String"]


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
    """A function of texts and small numbers.

    Args:
        store: of its instance; used by one thread at a time.
        function: as the instance exports it.
        params: the kinds of what it takes: `String` or `U32`.
        result: the shape of what it gives.

    Raises:
        TypeError: it takes or gives something else.
    """

    def __init__(self, store: Store, function: Func, params: Sequence[str], result: Any) -> None:
        kind = function.type(store)
        if [shape(one) for _, one in kind.params] != list(params):
            taken = ", ".join(map(str.lower, params)) or "nothing"
            raise TypeError(f"it does not take what the world says: {taken}")
        if shape(kind.result) != result:
            raise TypeError("it gives something else than the world says")
        self._function = function  # kept: what follows points into it
        self._at = ctypes.byref(function._func)
        self._context = store._context()
        self._count = len(params)
        self._given = (_Value * self._count)()
        self._set = [_SETTERS[one](self._given, i) for i, one in enumerate(params)]
        self._gives = int(result is not None)
        self._result = _Value()
        self._to_result = ctypes.byref(self._result)
        self._kind = ctypes.c_uint8.from_buffer(self._result)
        self._is_ok = ctypes.c_bool.from_buffer(self._result, _IS_OK)
        self._held = ctypes.c_void_p.from_buffer(self._result, _HELD)
        self._read = self._read_text if result == _TEXT_OR_TEXT else self._read_any

    def __call__(self, *arguments: Any) -> Any:
        """What it gives: a text, None, or something with the fields of a record.

        Raises:
            RefusedError: it gave an error.
            WasmtimeError: it did not come to its end.
        """
        for put, argument in zip(self._set, arguments, strict=True):
            put(argument)
        _require_done(
            bindings._wasmtime_component_func_call(
                self._at, self._context, self._given, self._count, self._to_result, self._gives
            )
        )
        is_ok, said = True, None
        if self._gives:
            try:
                is_ok, said = self._read()
            finally:
                bindings._wasmtime_component_val_delete(self._to_result)
                self._kind.value = _IS_BOOL  # wasmtime drops what is there when it puts the next
        _require_done(bindings._wasmtime_component_func_post_return(self._at, self._context))
        if not is_ok:
            raise RefusedError(said)
        return said

    def _read_text(self) -> tuple[bool, str]:
        """The same as the other for what most calls give, past the binding's objects."""
        held = self._held.value or 0
        size = ctypes.c_size_t.from_address(held + _SIZE).value
        data = ctypes.c_void_p.from_address(held + _DATA).value
        text = str(ctypes.string_at(data, size), "utf-8") if data and size else ""
        return self._is_ok.value, text

    def _read_any(self) -> tuple[bool, Any]:
        is_ok = self._is_ok.value if self._kind.value == _IS_RESULT else True
        return is_ok, _taken(self._result)


# What puts an argument in its place.


def _number_setter(given: Any, index: int) -> Callable[[Any], None]:
    given[index].kind = _IS_U32
    number = ctypes.c_uint32.from_buffer(given, index * _WIDTH + _NUMBER)

    def put(value: int) -> None:
        number.value = value

    return put


def _text_setter(given: Any, index: int) -> Callable[[Any], None]:
    given[index].kind = _IS_STRING
    size = ctypes.c_size_t.from_buffer(given, index * _WIDTH + _SIZE)
    data = ctypes.c_char_p.from_buffer(given, index * _WIDTH + _DATA)

    def put(value: str) -> None:
        encoded = value.encode()
        # The view keeps the bytes for as long as it points to them.
        size.value, data.value = len(encoded), encoded

    return put


_SETTERS = {"String": _text_setter, "U32": _number_setter}


def _require_done(error: Any) -> None:
    if error:
        raise WasmtimeError._from_ptr(error)


# What takes a value apart.


def _taken(value: Any) -> Any:
    return _TAKES[value.kind](value.of)


def _text(vector: Any) -> str:
    return ctypes.string_at(vector.data, vector.size).decode() if vector.size else ""


def _held(pointer: Any) -> Any:
    return _taken(pointer.contents) if pointer else None


def _record(of: Any) -> SimpleNamespace:
    entries = [of.record.data[number] for number in range(of.record.size)]
    return SimpleNamespace(**{_text(one.name): _taken(one.val) for one in entries})


_TAKES: dict[int, Callable[[Any], Any]] = {
    _IS_STRING: lambda of: _text(of.string),
    _IS_RECORD: _record,
    _IS_ENUM: lambda of: _text(of.enumeration),
    _IS_OPTION: lambda of: _held(of.option),
    _IS_RESULT: lambda of: _held(of.result.val),
}
