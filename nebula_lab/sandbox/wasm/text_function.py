"""Calls what a component exports, where all that crosses is text: a short way past wasmtime's own.

wasmtime's Python binding asks for the types of a function at each call and makes each value anew,
which is a fifth of the time of a small call. Here the types are looked at once, and the memory of
one set of values serves all calls. This file and `interruption.py` alone use the binding beneath.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from wasmtime import Store, WasmtimeError
from wasmtime import _bindings as bindings
from wasmtime import _ffi as ffi
from wasmtime.component import U32, Func, ResultType, String

from nebula_lab.sandbox.wasm.machine import RefusedError


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
_IS_BOOL, _IS_U32, _IS_STRING = (
    int(kind.value)
    for kind in (
        ffi.WASMTIME_COMPONENT_BOOL,
        ffi.WASMTIME_COMPONENT_U32,
        ffi.WASMTIME_COMPONENT_STRING,
    )
)


class TextFunction:
    """A function of texts and small numbers whose result is a text, or an error that is one.

    Args:
        store: of its instance; used by one thread at a time.
        function: as the instance exports it.

    Raises:
        TypeError: it takes or gives something else.
    """

    def __init__(self, store: Store, function: Func) -> None:
        kind = function.type(store)
        result = kind.result
        if not isinstance(result, ResultType) or not (
            isinstance(result.ok, String) and isinstance(result.err, String)
        ):
            raise TypeError("it gives no text")
        self._function = function  # kept: what follows points into it
        self._at = ctypes.byref(function._func)
        self._context = store._context()
        self._count = len(kind.params)
        self._given = (_Value * self._count)()
        self._set = [self._setter(i, one) for i, (_, one) in enumerate(kind.params)]
        self._result = _Value()
        self._to_result = ctypes.byref(self._result)
        self._kind = ctypes.c_uint8.from_buffer(self._result)
        self._is_ok = ctypes.c_bool.from_buffer(self._result, _IS_OK)
        self._held = ctypes.c_void_p.from_buffer(self._result, _HELD)

    def _setter(self, index: int, kind: Any) -> Callable[[Any], None]:
        """What puts an argument in its place."""
        begin = index * _WIDTH
        if isinstance(kind, U32):
            self._given[index].kind = _IS_U32
            number = ctypes.c_uint32.from_buffer(self._given, begin + _NUMBER)

            def put_number(value: int) -> None:
                number.value = value

            return put_number
        if not isinstance(kind, String):
            raise TypeError("it takes what is neither a text nor a small number")
        self._given[index].kind = _IS_STRING
        size = ctypes.c_size_t.from_buffer(self._given, begin + _SIZE)
        data = ctypes.c_char_p.from_buffer(self._given, begin + _DATA)

        def put_text(value: str) -> None:
            encoded = value.encode()
            # The view keeps the bytes for as long as it points to them.
            size.value, data.value = len(encoded), encoded

        return put_text

    def __call__(self, *arguments: Any) -> str:
        """Call it.

        Raises:
            RefusedError: it gave an error.
            WasmtimeError: it did not come to its end.
        """
        for put, argument in zip(self._set, arguments, strict=True):
            put(argument)
        failed = bindings._wasmtime_component_func_call(
            self._at, self._context, self._given, self._count, self._to_result, 1
        )
        if failed:
            raise WasmtimeError._from_ptr(failed)
        try:
            held = self._held.value or 0
            size = ctypes.c_size_t.from_address(held + _SIZE).value
            data = ctypes.c_void_p.from_address(held + _DATA).value
            text = str(ctypes.string_at(data, size), "utf-8") if data and size else ""
            is_ok = self._is_ok.value
        finally:
            bindings._wasmtime_component_val_delete(self._to_result)
            self._kind.value = _IS_BOOL  # wasmtime drops what is there when it puts the next
        failed = bindings._wasmtime_component_func_post_return(self._at, self._context)
        if failed:
            raise WasmtimeError._from_ptr(failed)
        if not is_ok:
            raise RefusedError(text)
        return text
