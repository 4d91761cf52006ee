"""Values of classes that a plugin wrote itself: enums, dataclasses and named tuples.

They are kept by the names of the class and of its fields, so that the new code's class of that name
is what they are of afterwards. Other classes may hold anything, and are not kept.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Any

from nebula_lab.agent.state.errors import NotKeptError
from nebula_lab.agent.state.forms.base import Form
from nebula_lab.agent.state.naming import shown

if TYPE_CHECKING:
    from nebula_lab.agent.state.reader import Reader
    from nebula_lab.agent.state.writer import Writer


def form_for_class(kind: type) -> Form | None:
    """What keeps values of a class, or None."""
    if issubclass(kind, enum.Flag):
        return FLAG
    if issubclass(kind, enum.Enum):
        return MEMBER
    if dataclasses.is_dataclass(kind):
        # An exception or a dict that is a dataclass, too, has more than its fields.
        return RECORD if kind.__new__ is object.__new__ else None
    return ROW if _is_row(kind) else None


def _is_row(kind: type) -> bool:
    """Whether it is a named tuple, or a class derived from one that makes nothing more of it."""
    base = next((one for one in kind.__mro__ if one.__bases__ == (tuple,)), None)
    return (
        base is not None
        and isinstance(getattr(base, "_fields", None), tuple)
        and kind.__new__ is base.__new__
    )


def _member_parts(value: Any, writer: Writer) -> list[Any]:
    return [writer.refer_class(type(value)), writer.refer(value.name, None)]


def _make_member(parts: list[Any], reader: Reader) -> Any:
    kind: Any = reader.find_class(parts[0])
    member = getattr(kind, "__members__", {}).get(parts[1])
    if member is None:
        raise NotKeptError(f"the new code's {shown(kind)} has no {parts[1]}")
    return member


def _flag_parts(value: Any, writer: Writer) -> list[Any]:
    return [writer.refer_class(type(value)), writer.refer(value.value, None)]


def _make_flag(parts: list[Any], reader: Reader) -> Any:
    kind: Any = reader.find_class(parts[0])
    try:
        return kind(reader.value(parts[1]))
    except (TypeError, ValueError):
        raise NotKeptError(f"the new code's {shown(kind)} lacks some of the old flags") from None


def _record_parts(value: Any, writer: Writer) -> list[Any]:
    names = {field.name for field in dataclasses.fields(value)}
    _refuse_more(value, names | {"__orig_class__"})  # which `typing` leaves there
    writer.charge_names(names)
    fields = {
        name: writer.refer(getattr(value, name), f".{name}")
        for name in sorted(names)
        if hasattr(value, name)  # one of `init=False` need not be there
    }
    return [writer.refer_class(type(value)), fields]


def _make_record(parts: list[Any], reader: Reader) -> Any:
    kind = reader.find_class(parts[0])
    if not dataclasses.is_dataclass(kind) or kind.__new__ is not object.__new__:
        raise NotKeptError(f"the new code's {shown(kind)} is no dataclass")
    for name in parts[1].keys() - {field.name for field in dataclasses.fields(kind)}:
        note = f"the new code's {shown(kind)} has no field {name}, so what it held was dropped"
        if note not in reader.notes:
            reader.notes.append(note)
    return object.__new__(kind)


def _fill_record(made: Any, parts: list[Any], reader: Reader) -> None:
    # Not by `__init__`, which may do anything: as a copy is made.
    for field in dataclasses.fields(made):
        if field.name in parts[1]:
            value = reader.value(parts[1][field.name])
        elif field.default is not dataclasses.MISSING:
            value = field.default
        elif field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
        elif field.init:
            raise NotKeptError(
                f"the new code's {shown(type(made))} has a new field {field.name} without default"
            )
        else:
            continue
        object.__setattr__(made, field.name, value)


def _refuse_more(value: Any, names: set[str]) -> None:
    more = sorted(set(getattr(value, "__dict__", ())) - names)
    if more:
        raise NotKeptError(
            f"an instance of {shown(type(value))} with attributes that are no fields: {more[0]}"
        )


def _row_parts(value: Any, writer: Writer) -> list[Any]:
    _refuse_more(value, set())
    writer.charge_names(type(value)._fields)
    fields = {
        name: writer.refer(one, f".{name}")
        for name, one in zip(type(value)._fields, tuple(value), strict=True)
    }
    return [writer.refer_class(type(value)), fields]


def _make_row(parts: list[Any], reader: Reader) -> Any:
    kind: Any = reader.find_class(parts[0])
    fields = getattr(kind, "_fields", None)
    if not issubclass(kind, tuple) or fields is None:
        raise NotKeptError(f"the new code's {shown(kind)} is no named tuple")
    lacking = [one for one in fields if one not in parts[1] and one not in kind._field_defaults]
    if lacking or parts[1].keys() - set(fields):
        raise NotKeptError(f"the new code's {shown(kind)} has other fields")
    return kind(**{name: reader.value(one) for name, one in parts[1].items()})


MEMBER = Form("member", _member_parts, _make_member)
FLAG = Form("flag", _flag_parts, _make_flag)
RECORD = Form("record", _record_parts, _make_record, _fill_record)
ROW = Form("row", _row_parts, _make_row)
