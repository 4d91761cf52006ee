"""Params to the types that an operation's hints name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from nebula_lab.plugin.mismatch import Mismatch
from nebula_lab.plugin.scalars import SCALARS, TAKEN, UNCHANGED, Converter
from nebula_lab.plugin.shapes import (
    Again,
    Anything,
    Array,
    Choice,
    Either,
    Kind,
    Record,
    Refined,
    Row,
    Scalar,
    Shape,
    Table,
)
from nebula_lab.plugin.shorten import path_step, short_repr


class ConverterBuilder:
    """Makes converters, and keeps those of records, which may contain themselves."""

    def __init__(self) -> None:
        self._records: dict[type, Converter] = {}

    def build(self, shape: Shape) -> Converter | None:
        """What turns a plain value into one of this shape; None where it is taken as it is."""
        return _BUILDERS[type(shape)](self, shape)

    def _anything(self, _: Anything) -> None:
        return None

    def _scalar(self, shape: Scalar) -> Converter:
        return SCALARS[shape.kind]

    def _refined(self, shape: Refined) -> Converter | None:
        # The bounds are the manager's to check, before anything is sent.
        return self.build(shape.shape)

    def _choice(self, shape: Choice) -> Converter:
        by_value: dict[object, Any] = {_key(value): value for value in shape.values}
        if shape.enum_class is not None:
            by_value = {_key(member.value): member for member in shape.enum_class}
        members = frozenset(by_value.values()) if shape.enum_class else frozenset()
        expected = f"one of {', '.join(map(repr, shape.values))}"

        def convert(value: object) -> Any:
            try:
                if (key := _key(value)) in by_value:
                    return by_value[key]
                if value in members:
                    return value
            except TypeError:  # not hashable
                pass
            raise Mismatch(expected, value)

        return convert

    def _array(self, shape: Array) -> Converter:
        item, build = self.build(shape.item), shape.build
        unchanged = unchanged_types(shape.item)

        def convert(value: object) -> Any:
            if not isinstance(value, (list, tuple, set, frozenset)):
                raise Mismatch("array", value)
            if item is None or (unchanged and unchanged.issuperset(map(type, value))):
                return value if type(value) is build else _built(build, value)
            return _built(build, [_at(item, index, one) for index, one in enumerate(value)])

        return convert

    def _row(self, shape: Row) -> Converter:
        places = [self.build(place) or _as_it_is for place in shape.places]

        def convert(value: object) -> Any:
            if not isinstance(value, (list, tuple)) or len(value) != len(places):
                raise Mismatch(f"array of {len(places)} items", value)
            return tuple(
                _at(place, index, one)
                for index, (place, one) in enumerate(zip(places, value, strict=True))
            )

        return convert

    def _table(self, shape: Table) -> Converter:
        inner = self.build(shape.value)

        def convert(value: object) -> Any:
            if not isinstance(value, dict):
                raise Mismatch("object", value)
            if inner is None:
                return value
            return {key: _under(inner, key, one) for key, one in value.items()}

        return convert

    def _either(self, shape: Either) -> Converter | None:
        options = [self.build(option) for option in shape.options]
        converters = [option for option in options if option is not None]
        if len(converters) < len(options):
            return None

        def convert(value: object) -> Any:
            failures = []
            for option in converters:
                try:
                    return option(value)
                except Mismatch as mismatch:
                    failures.append(mismatch)
            deeper = [mismatch for mismatch in failures if mismatch.path]
            if len(deeper) == 1:  # the only one of the right kind: say what is wrong inside
                raise deeper[0]
            raise Mismatch(" or ".join(dict.fromkeys(m.expected for m in failures)), value)

        return convert

    def _record(self, shape: Record) -> Converter:
        fields = {field.name: self.build(field.shape) or _as_it_is for field in shape.fields}
        required = [field.name for field in shape.fields if field.required]
        cls = shape.cls

        def convert(value: object) -> Any:
            if shape.builds and isinstance(value, cls):
                return value
            if not isinstance(value, dict):
                raise Mismatch("object", value)
            built = {key: _named(fields, key, one) for key, one in value.items()}
            for name in required:
                if name not in built:
                    raise Mismatch("a value", None, "nothing").below(path_step(name))
            return _constructed(cls, built) if shape.builds else built

        self._records[cls] = convert
        return convert

    def _again(self, shape: Again) -> Converter:
        # The record around this one is not made yet: look it up when it is needed.
        return lambda value: self._records[shape.cls](value)


def unchanged_types(shape: Shape) -> frozenset[type]:
    """Types, subclasses not meant, whose values the shape's converter gives back as they are."""
    if isinstance(shape, Scalar):
        return UNCHANGED[shape.kind]
    if isinstance(shape, Refined):
        return unchanged_types(shape.shape)
    if isinstance(shape, Either):
        kinds = [option.kind for option in shape.options if isinstance(option, Scalar)]
        return _unchanged_by_all(kinds) if len(kinds) == len(shape.options) else frozenset()
    return frozenset()


def _unchanged_by_all(kinds: list[Kind]) -> frozenset[type]:
    # The first alternative that takes a value decides: to `float | int`, 1 is 1.0.
    unchanged: frozenset[type] = frozenset()
    taken: frozenset[type] = frozenset()
    for kind in kinds:
        unchanged |= UNCHANGED[kind] - taken
        taken |= TAKEN[kind]
    return unchanged


_BUILDERS: Mapping[type, Callable[[ConverterBuilder, Any], Converter | None]] = MappingProxyType(
    {
        Anything: ConverterBuilder._anything,
        Scalar: ConverterBuilder._scalar,
        Refined: ConverterBuilder._refined,
        Choice: ConverterBuilder._choice,
        Array: ConverterBuilder._array,
        Row: ConverterBuilder._row,
        Table: ConverterBuilder._table,
        Either: ConverterBuilder._either,
        Record: ConverterBuilder._record,
        Again: ConverterBuilder._again,
    }
)


def _key(value: object) -> tuple[bool, object]:
    # To Python, True is 1; to JSON it is not, and 1.0 is.
    return isinstance(value, bool), value


def _as_it_is(value: Any) -> Any:
    return value


def _at(convert: Converter, index: int, value: object) -> Any:
    try:
        return convert(value)
    except Mismatch as mismatch:
        mismatch.below(f"[{index}]")
        raise


def _under(convert: Converter, key: object, value: object) -> Any:
    try:
        return convert(value)
    except Mismatch as mismatch:
        mismatch.below(path_step(key))
        raise


def _named(fields: Mapping[str, Converter], key: str, value: object) -> Any:
    convert = fields.get(key)
    if convert is None:
        known = ", ".join(fields) or "nothing"
        raise Mismatch(known, key, f"unknown key {short_repr(key)}").below(path_step(key))
    return _under(convert, key, value)


def _built(build: type, items: object) -> Any:
    try:
        return build(items)
    except TypeError:
        raise Mismatch("items that a set can hold", items) from None


def _constructed(cls: type, values: dict[str, Any]) -> Any:
    try:
        return cls(**values)
    except (TypeError, ValueError) as error:  # the author's own check in __post_init__
        raise Mismatch(cls.__name__, values, f"values that it refuses: {error}") from error
