"""Type hints to shapes.

A plugin's hints are read in its sandbox, but they are no reason for it not to load: what can't be
resolved or is not known says nothing about the value, which is then passed as it is.
"""

from __future__ import annotations

import collections.abc as abc
import dataclasses
import datetime
import enum
import inspect
import sys
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from nebula_lab.plugin.docstring import first_paragraph
from nebula_lab.plugin.refinement import refine
from nebula_lab.plugin.shapes import (
    Again,
    Anything,
    Array,
    Choice,
    Either,
    Field,
    Kind,
    Record,
    Row,
    Scalar,
    Shape,
    Table,
)

# The manager refuses schemas of more than 32 levels; a list of a dataclass takes two.
MAX_DEPTH = 20
# Records are written out where they are used, and a few that use each other twice grow without
# end in width. The manager refuses schemas of more than 256 kB.
MAX_SHAPES = 1500

_SCALARS: Mapping[object, Kind] = types.MappingProxyType(
    {
        int: Kind.INTEGER,
        float: Kind.NUMBER,
        str: Kind.STRING,
        bool: Kind.BOOLEAN,
        None: Kind.NULL,
        type(None): Kind.NULL,
        bytes: Kind.BYTES,
        datetime.datetime: Kind.DATE_TIME,
    }
)
_ARRAYS: Mapping[object, type] = types.MappingProxyType(
    {
        list: list,
        set: set,
        frozenset: frozenset,
        abc.Sequence: list,
        abc.MutableSequence: list,
        abc.Collection: list,
        abc.Iterable: list,
        abc.Set: set,
        abc.MutableSet: set,
    }
)
_TABLES: Mapping[object, type] = types.MappingProxyType(
    {dict: dict, abc.Mapping: dict, abc.MutableMapping: dict}
)
# What only says something about a field of a class; the value's type is inside.
_QUALIFIERS = frozenset(
    {typing.Required, typing.NotRequired, typing.Final, getattr(typing, "ReadOnly", None)} - {None}
)
_PLAIN_SCALARS = (str, int, float, bool, type(None))


class HintReader:
    """Reads the hints of one operation.

    Args:
        namespaces: where to look names up, the first that knows them all wins.
    """

    def __init__(self, namespaces: Sequence[Mapping[str, Any]]) -> None:
        self._namespaces = tuple(namespaces)
        self._open: list[object] = []
        self._depth = 0
        self._count = 0

    def read(self, hint: object) -> Shape:
        """The shape of one annotation, which may be text.

        Raises:
            ValueError: a `Bounds` that says nothing about values of the hint's type.
        """
        self._count += 1
        if self._depth >= MAX_DEPTH or self._count > MAX_SHAPES:
            return Anything()
        self._depth += 1
        try:
            return self._read_resolved(self.resolve(hint))
        finally:
            self._depth -= 1

    def resolve(self, hint: object) -> object:
        """The hint that a text or forward reference stands for; `Any` when nothing is found."""
        if not isinstance(hint, (str, typing.ForwardRef)):
            return hint
        for namespace in self._namespaces:
            holder = types.SimpleNamespace(__annotations__={"hint": hint})
            try:
                return typing.get_type_hints(holder, dict(namespace), include_extras=True)["hint"]
            except Exception:  # noqa: BLE001, S112 - an author's text can fail in any way
                continue
        return Any

    def _read_resolved(self, hint: Any) -> Shape:
        kind = _look_up(_SCALARS, hint)
        if kind is not None:
            return Scalar(kind)
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Annotated:
            return refine(self.read(arguments[0]), arguments[1:])
        if origin is typing.Literal:
            return _choice(arguments)
        if origin in (typing.Union, types.UnionType):
            return Either(tuple(self.read(option) for option in arguments))
        if origin in _QUALIFIERS:
            return self.read(arguments[0])
        return self._read_container(origin or hint, arguments) or self._read_named(origin or hint)

    def _read_container(self, origin: object, arguments: tuple[Any, ...]) -> Shape | None:
        build = _look_up(_ARRAYS, origin)
        if build is not None:
            return Array(self.read(arguments[0]) if arguments else Anything(), build)
        if origin is tuple:
            return self._read_tuple(arguments)
        if _look_up(_TABLES, origin):
            says_value = len(arguments) == 2 and self.resolve(arguments[0]) is str
            return Table(self.read(arguments[1]) if says_value else Anything())
        return None

    def _read_tuple(self, arguments: tuple[Any, ...]) -> Shape:
        if not arguments:
            return Array(Anything(), tuple)
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return Array(self.read(arguments[0]), tuple)
        return Row(tuple(self.read(place) for place in arguments))

    def _read_named(self, hint: Any) -> Shape:
        for attribute in ("__supertype__", "__value__", "__bound__"):  # NewType, alias, TypeVar
            if not isinstance(hint, type) and (inner := _ask(hint, attribute)) is not None:
                return self._read_alias(hint, inner)
        if not isinstance(hint, type):
            return Anything()
        if issubclass(hint, enum.Enum) and not issubclass(hint, enum.Flag):
            return _choice(tuple(member.value for member in hint), hint)
        if typing.is_typeddict(hint) or dataclasses.is_dataclass(hint) or _is_named_tuple(hint):
            return self._read_record(hint)
        return Anything()

    def _read_alias(self, alias: object, inner: object) -> Shape:
        if any(alias is one for one in self._open):
            return Anything()
        self._open.append(alias)
        try:
            return self.read(inner)
        finally:
            self._open.pop()

    def _read_record(self, cls: type) -> Shape:
        if any(cls is one for one in self._open):
            return Again(cls)
        outside = self._namespaces
        module = sys.modules.get(cls.__module__)
        if module is not None:
            self._namespaces = (vars(module), *outside)
        self._open.append(cls)
        try:
            return Record(cls, self._fields(cls), not typing.is_typeddict(cls), _class_text(cls))
        finally:
            self._open.pop()
            self._namespaces = outside

    def _fields(self, cls: type) -> tuple[Field, ...]:
        if dataclasses.is_dataclass(cls):
            return tuple(self._dataclass_field(f) for f in dataclasses.fields(cls) if f.init)
        if typing.is_typeddict(cls):
            return tuple(self._key(cls, *item) for item in _annotations(cls).items())
        annotations = _annotations(cls)
        defaults: dict[str, Any] = getattr(cls, "_field_defaults", {})
        return tuple(
            Field(
                name,
                self.read(annotations.get(name, Any)),
                required=name not in defaults,
                default=defaults.get(name),
                has_default=name in defaults,
            )
            for name in getattr(cls, "_fields", ())
        )

    def _dataclass_field(self, field: dataclasses.Field[Any]) -> Field:
        has_default = field.default is not dataclasses.MISSING
        return Field(
            field.name,
            self.read(field.type),
            required=not has_default and field.default_factory is dataclasses.MISSING,
            default=field.default if has_default else None,
            has_default=has_default,
        )

    def _key(self, cls: Any, name: str, hint: object) -> Field:
        required = name in cls.__required_keys__
        hint = self.resolve(hint)
        # With postponed annotations, TypedDict itself has not seen these two.
        if typing.get_origin(hint) in (typing.Required, typing.NotRequired):
            required = typing.get_origin(hint) is typing.Required
        return Field(name, self.read(hint), required)


def _choice(values: tuple[Any, ...], enum_class: type[enum.Enum] | None = None) -> Shape:
    literal = tuple(value.value if isinstance(value, enum.Enum) else value for value in values)
    if not literal or not all(type(value) in _PLAIN_SCALARS for value in literal):
        return Anything()
    return Choice(literal, enum_class)


def _look_up(table: Mapping[object, Any], key: object) -> Any:
    try:
        return table.get(key)
    except TypeError:  # a hint that can't be hashed
        return None


def _ask(hint: object, attribute: str) -> object:
    try:
        return getattr(hint, attribute, None)
    except Exception:  # noqa: BLE001 - an alias (`type X = …`) is evaluated here, and may fail
        return None


def _annotations(cls: type) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        found |= inspect.get_annotations(base)
    return found


def _is_named_tuple(cls: type) -> bool:
    return issubclass(cls, tuple) and isinstance(getattr(cls, "_fields", None), tuple)


def _class_text(cls: type) -> str:
    text = first_paragraph(cls.__dict__.get("__doc__"))
    # dataclasses and namedtuple write a docstring that only repeats the fields
    return "" if text.startswith(f"{cls.__name__}(") else text
