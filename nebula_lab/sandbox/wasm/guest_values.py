"""What goes into a machine and comes out of it, as text; whatever comes out is hostile."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec

from nebula_lab.plugin.errors import PluginError
from nebula_lab.plugin.plain import is_plain
from nebula_lab.sandbox.wasm.exchange import Exchange
from nebula_lab.wire.errors import ValueNotSupportedError
from nebula_lab.wire.messages import FAILURE_KINDS, OBSTACLES, Failure
from nebula_lab.wire.tagged_json import TAG, NotTaggedError, dumps, loads, shaped

# Ten times faster than `json`, which is what the machine has.
_written, _read = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode
_MARK = f'"{TAG}"'
_TOLD_BY_GUESTS = FAILURE_KINDS - {"withdrawn", "cancelled", "too_large"}
_MOST_TEXT = 256 * 2**20  # characters of one answer
_STRINGS = ("kind", "type", "message", "traceback", "element", "obstacle")


class GuestError(Exception):
    """What a plugin in a machine raised, as it told it.

    Attributes:
        told: the failure, by the names of its parts.
    """

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__(told["message"])
        self.told = told

    def failure(self, call: int) -> Failure:
        """The message that says so."""
        told = self.told
        return Failure(
            call=call,
            kind=told["kind"],
            error_type=told["type"],
            message=told["message"],
            traceback=told["traceback"],
            element=told["element"],
            obstacle=told["obstacle"],
            request=told["request"],
        )


class NonsenseError(Exception):
    """A machine's answer makes no sense."""


def text_of(value: Any, exchange: Exchange, name: str = "params") -> str:
    """A value for a machine.

    Raises:
        ValueNotSupportedError: something in it can't go there.
    """
    text = _plain_text(value)
    if text is not None:
        return text
    try:
        return dumps(value, exchange.put, name)
    except NotTaggedError as error:
        found = f"{error.found}, which has no place in sandbox Wasm: use sandbox Process for it"
        raise ValueNotSupportedError(error.element, found) from None


def _plain_text(value: Any) -> str | None:
    """The text of a value that is written as it is, as nearly all are; None for another."""
    if not is_plain(value):
        return None
    try:
        text: str = _written(value).decode()
    except (OverflowError, UnicodeEncodeError, RecursionError, msgspec.MsgspecError):
        return None
    # For msgspec, NaN is null; whether there is one is for the other way to say.
    return None if _MARK in text or "null" in text else text


def value_of(text: Any, exchange: Exchange) -> Any:
    """A value from a machine.

    Raises:
        NonsenseError: it is none.
    """
    if type(text) is not str or len(text) > _MOST_TEXT:
        raise NonsenseError("an answer that is no text, or too long")
    if _MARK not in text:
        # Nearly all values are plain. What msgspec does not take, the other way says why.
        with contextlib.suppress(msgspec.MsgspecError, RecursionError):
            return _read(text)
    try:
        return loads(text, exchange.take, _array)
    except ValueError as error:
        raise NonsenseError(f"an answer that is no value: {error}") from error


def error_of(text: Any) -> GuestError:
    """What a machine said of a failure.

    Raises:
        NonsenseError: it is no failure.
    """
    try:
        told = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise NonsenseError(f"an error that is none: {error}") from error
    if type(told) is not dict:
        raise NonsenseError("an error that is no object")
    whole = {"kind": "raised", "type": "Exception", "request": 0, **told}
    for name in _STRINGS:
        if type(whole.setdefault(name, "")) is not str:
            raise NonsenseError(f"an error whose {name} is no text")
    if whole["kind"] not in _TOLD_BY_GUESTS or whole["obstacle"] not in OBSTACLES:
        raise NonsenseError("an error of an unknown kind")
    if type(whole["request"]) is not int or not 0 <= whole["request"] < 2**31:
        raise NonsenseError("an error that came of no request")
    return GuestError(whole)


def refusal_of(error: BaseException, request: int, *, cancelled: bool) -> str:
    """What a machine is told of a call between plugins that gave no result."""
    kind, separator, message = str(error).partition(": ")
    if not isinstance(error, PluginError) or not separator:
        kind, message = type(error).__name__, str(error)
    return json.dumps(
        {"type": kind, "message": message, "request": request, "cancelled": cancelled}
    )


def _array(elements: memoryview, shape: list[int]) -> Any:
    """An array, where numpy is installed; else a view of memory."""
    try:
        import numpy
    except ImportError:
        return shaped(elements, shape)
    return numpy.frombuffer(elements, elements.format).reshape(shape)
