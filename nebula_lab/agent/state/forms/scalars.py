"""Values of the standard library that a few texts and numbers say all of."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nebula_lab.agent.state.errors import NotKeptError
from nebula_lab.agent.state.forms.base import Form

if TYPE_CHECKING:
    from nebula_lab.agent.state.reader import Reader
    from nebula_lab.agent.state.writer import Writer


def _simple(name: str, parts_of: Callable[[Any], list[Any]], made_by: str = "") -> tuple[str, Form]:
    """A type whose values are made by calling it, or a function of it, with their parts.

    Args:
        name: module and class, as the type itself says.
        parts_of: the parts of a value, leaves or bytes.
        made_by: what to call; the class itself without.
    """
    module, _, function = (made_by or name).rpartition(".")

    def take_apart(value: Any, writer: Writer) -> list[Any]:
        return [writer.refer(part, None) for part in parts_of(value)]

    def make(parts: list[Any], reader: Reader) -> Any:
        return getattr(import_module(module), function)(*map(reader.value, parts))

    return name, Form(name, take_apart, make)


def _datetime_parts(value: Any, writer: Writer) -> list[Any]:
    naive = value.replace(tzinfo=None, fold=0)
    return [naive.isoformat(), value.fold, writer.refer(value.tzinfo, ".tzinfo")]


def _make_moment(kind: Any) -> Callable[[list[Any], Reader], Any]:
    def make(parts: list[Any], reader: Reader) -> Any:
        return kind.fromisoformat(parts[0]).replace(fold=parts[1], tzinfo=reader.value(parts[2]))

    return make


def _timezone_parts(value: Any) -> list[Any]:
    # (offset,) or (offset, name)
    offset, *name = value.__getinitargs__()
    return [offset.days, offset.seconds, offset.microseconds, *name]


def _make_timezone(parts: list[Any], reader: Reader) -> Any:
    return datetime.timezone(datetime.timedelta(*parts[:3]), *parts[3:])


def _integer_parts(value: Any, writer: Writer) -> list[Any]:
    digits = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return [writer.refer(digits, None)]


def _make_integer(parts: list[Any], reader: Reader) -> Any:
    return int.from_bytes(reader.value(parts[0]), "little", signed=True)


def _bytes_parts(value: Any, writer: Writer) -> list[Any]:
    return [writer.add_piece(value)]


def _make_bytes(parts: list[Any], reader: Reader) -> Any:
    return bytes(reader.pieces[parts[0]])


def _zone_key(value: Any) -> list[Any]:
    if value.key is None:
        raise NotKeptError("a time zone without a name")
    return [value.key]


def _text(value: Any) -> list[Any]:
    return [str(value)]


def _pattern_parts(value: Any) -> list[Any]:
    return [value.pattern, int(value.flags)]


_TIMEZONE = Form(
    "datetime.timezone",
    lambda value, writer: [writer.refer(part, None) for part in _timezone_parts(value)],
    _make_timezone,
)
_PATHS = ("PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath")
# Since Python 3.13 the classes are in a module of a package.
_MODULES = ("pathlib", "pathlib._local")

# By the names of types, so that no module is imported to find out that no value is of it.
SCALARS: Mapping[str, Form] = MappingProxyType(
    {
        "datetime.datetime": Form(
            "datetime.datetime", _datetime_parts, _make_moment(datetime.datetime)
        ),
        "datetime.time": Form("datetime.time", _datetime_parts, _make_moment(datetime.time)),
        "datetime.timezone": _TIMEZONE,
        "builtins.int": Form("builtins.int", _integer_parts, _make_integer),
        "builtins.bytes": Form("builtins.bytes", _bytes_parts, _make_bytes),
        **dict(
            [
                _simple("datetime.date", lambda one: [one.year, one.month, one.day]),
                _simple(
                    "datetime.timedelta", lambda one: [one.days, one.seconds, one.microseconds]
                ),
                _simple("zoneinfo.ZoneInfo", _zone_key),
                _simple("decimal.Decimal", _text),
                _simple("fractions.Fraction", lambda one: [one.numerator, one.denominator]),
                _simple("uuid.UUID", _text),
                _simple("builtins.complex", lambda one: [one.real, one.imag]),
                _simple("builtins.bytearray", lambda one: [bytes(one)]),
                _simple("builtins.range", lambda one: [one.start, one.stop, one.step]),
                _simple("array.array", lambda one: [one.typecode, one.tobytes()]),
                _simple("re.Pattern", _pattern_parts, made_by="re.compile"),
                *(
                    _simple(f"{module}.{kind}", _text, made_by=f"pathlib.{kind}")
                    for kind in _PATHS
                    for module in _MODULES
                ),
            ]
        ),
    }
)
