"""A method of a plugin as an operation: what callers are told of it, and how params reach it."""

from __future__ import annotations

import collections.abc as abc
import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nebula_lab.plugin.convert import ConverterBuilder, unchanged_types
from nebula_lab.plugin.description import OperationSpec
from nebula_lab.plugin.docstring import first_paragraph, parameter_texts
from nebula_lab.plugin.errors import PluginError
from nebula_lab.plugin.hints import HintReader
from nebula_lab.plugin.json_schema import object_schema, schema_of
from nebula_lab.plugin.mismatch import Mismatch
from nebula_lab.plugin.nearest import nearest_names
from nebula_lab.plugin.operations import OperationMark, method_error, unwrapped
from nebula_lab.plugin.scalars import Converter
from nebula_lab.plugin.shapes import Anything, Array, Field, Shape
from nebula_lab.plugin.shorten import path_step, short_repr

MAX_SIGNATURE = 500
_STREAMS = frozenset(
    {abc.Iterator, abc.Generator, abc.AsyncIterator, abc.AsyncGenerator, abc.AsyncIterable}
)


@dataclass(frozen=True)
class OperationHandler:
    """One operation of one class.

    Attributes:
        spec: what callers are told.
        attribute: the method's name.
        converters: by param; None takes the value as it is.
        others: for params that have no parameter of their own; None where there may be none.
        unchanged: by param, the types whose values its converter would give back as they are.
        unchanged_items: by param that takes a list, the same of its items.
        required: the params that have no default.
        receiver: what the method calls `self`, which is no param.
    """

    spec: OperationSpec
    attribute: str
    converters: Mapping[str, Converter | None]
    others: Converter | None
    unchanged: Mapping[str, frozenset[type]]
    unchanged_items: Mapping[str, frozenset[type]]
    required: frozenset[str]
    receiver: str

    def run(self, plugin: object, params: object) -> Any:
        """Call the method and return what it returns; raises what `bind` does."""
        return getattr(plugin, self.attribute)(**self.bind(params))

    def bind(self, params: object) -> dict[str, Any]:
        """The params as keyword arguments, converted to what the hints say.

        Raises:
            PluginError: an unknown, missing or unfit param, with the path to the element.
        """
        if not isinstance(params, dict):
            raise self._error("params", "an object", short_repr(params))
        unchanged, items = self.unchanged, self.unchanged_items
        for name, value in params.items():
            kind = type(value)
            if kind is list:
                if name not in items or not items[name].issuperset(map(type, value)):
                    break
            elif kind not in unchanged.get(name, ()):
                break
        else:
            if self.required <= params.keys():
                return params
        return self._converted_all(params)

    def _converted_all(self, params: dict[str, Any]) -> dict[str, Any]:
        arguments = {name: self._converted(name, value) for name, value in params.items()}
        for name in self.converters:
            if name in self.required and name not in arguments:
                raise self._error(f"params.{name}", "a value", "nothing")
        return arguments

    def _converted(self, name: str, value: object) -> Any:
        try:
            convert = self.converters[name]
        except KeyError:
            convert = self._for_other(name)
        if convert is None:
            return value
        try:
            return convert(value)
        except Mismatch as mismatch:
            element = f"params{path_step(name)}{mismatch.path}"
            raise self._error(element, mismatch.expected, mismatch.found) from mismatch.__cause__

    def _for_other(self, name: object) -> Converter:
        if self.others is not None and isinstance(name, str) and name != self.receiver:
            return self.others
        near = nearest_names(str(name), self.converters, 1)
        known = ", ".join(self.converters) or "no params"
        found = f"unknown parameter {short_repr(name)}"
        if near:
            found += f", did you mean {near[0]!r}?"
        raise self._error(f"params{path_step(name)}", known, found)

    def _error(self, element: str, expected: str, found: str) -> PluginError:
        return PluginError(f"{self.spec.name}: {element}: expected {expected}, found {found}")


def make_handler(owner: type, name: str, attribute: str, mark: OperationMark) -> OperationHandler:
    """Read a marked method.

    Raises:
        PluginError: a `Bounds` in a hint says nothing about values of the hint's type.
    """
    method = getattr(owner, attribute)
    try:
        return _MethodReader(owner, name, attribute, method).handler(mark)
    except ValueError as error:
        raise method_error(method, str(error), "Take the bound out, or give it a type.") from error


class _MethodReader:
    def __init__(self, owner: type, name: str, attribute: str, method: Callable[..., Any]) -> None:
        self._name = name
        self._attribute = attribute
        self._method = method
        self._function = unwrapped(method)
        self._signature = inspect.signature(method)
        self._hints = HintReader(_namespaces(owner, self._function))
        receiver, *parameters = self._signature.parameters.values()
        self._receiver = receiver.name
        self._others = next((p for p in parameters if p.kind is p.VAR_KEYWORD), None)
        self._parameters = [p for p in parameters if p.kind is not p.VAR_KEYWORD]

    def handler(self, mark: OperationMark) -> OperationHandler:
        texts = parameter_texts(self._method.__doc__)
        fields = [self._field(p, texts) for p in self._parameters]
        others = self._hints.read(_hint(self._others.annotation)) if self._others else None
        builder = ConverterBuilder()
        return OperationHandler(
            spec=self._spec(mark, fields, others),
            attribute=self._attribute,
            converters={field.name: builder.build(field.shape) for field in fields},
            unchanged={field.name: unchanged_types(field.shape) for field in fields},
            others=None if others is None else builder.build(others) or _as_it_is,
            unchanged_items={
                field.name: unchanged_types(field.shape.item)
                for field in fields
                if isinstance(field.shape, Array) and field.shape.build is list
            },
            required=frozenset(field.name for field in fields if field.required),
            receiver=self._receiver,
        )

    def _field(self, parameter: inspect.Parameter, texts: Mapping[str, str]) -> Field:
        has_default = parameter.default is not parameter.empty
        return Field(
            parameter.name,
            self._hints.read(_hint(parameter.annotation)),
            required=not has_default,
            default=parameter.default if has_default else None,
            has_default=has_default,
            description=texts.get(parameter.name, ""),
        )

    def _spec(
        self, mark: OperationMark, fields: list[Field], others: Shape | None
    ) -> OperationSpec:
        additional = False if others is None else schema_of(others) or True
        result, streams = self._result()
        return OperationSpec(
            name=self._name,
            description=mark.description or first_paragraph(self._method.__doc__),
            params_schema=object_schema(fields, additional),
            result_schema=None if result is None else schema_of(result),
            stream=streams or self._is(inspect.isgeneratorfunction, inspect.isasyncgenfunction),
            is_async=self._is(inspect.iscoroutinefunction, inspect.isasyncgenfunction),
            idempotent=mark.idempotent,
            signature=self._signature_text(),
        )

    def _result(self) -> tuple[Shape | None, bool]:
        """The shape of the result or of a stream's items, and whether the hint says stream."""
        if self._signature.return_annotation is inspect.Signature.empty:
            return None, False
        hint = self._hints.resolve(self._signature.return_annotation)
        origin = typing.get_origin(hint) or hint
        if isinstance(origin, abc.Hashable) and origin in _STREAMS:
            arguments = typing.get_args(hint)
            return self._hints.read(arguments[0]) if arguments else Anything(), True
        if origin is abc.Iterable and self._is(inspect.isgeneratorfunction):
            return self._hints.read((*typing.get_args(hint), Any)[0]), True
        return self._hints.read(hint), False

    def _is(self, *questions: Callable[[object], bool]) -> bool:
        # A decorator's wrapper usually hands on the generator or coroutine of what it wraps.
        return any(ask(self._method) or ask(self._function) for ask in questions)

    def _signature_text(self) -> str:
        shown = [_without_quotes(p) for p in [*self._signature.parameters.values()][1:]]
        returns = _as_source(self._signature.return_annotation)
        text = f"{self._name}{inspect.Signature(shown, return_annotation=returns)}"
        return text if len(text) <= MAX_SIGNATURE else text[: MAX_SIGNATURE - 1] + "…"


class _Source:
    """Text that shows as it is, where `inspect` would put quotes around it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _without_quotes(parameter: inspect.Parameter) -> inspect.Parameter:
    shown = parameter.replace(annotation=_as_source(parameter.annotation))
    if shown.default is shown.empty:
        return shown
    return shown.replace(default=_Source(short_repr(shown.default)))


def _as_source(annotation: object) -> object:
    return _Source(annotation) if isinstance(annotation, str) else annotation


def _hint(annotation: object) -> object:
    return Any if annotation is inspect.Parameter.empty else annotation


def _as_it_is(value: Any) -> Any:
    return value


def _namespaces(owner: type, function: Any) -> list[Mapping[str, Any]]:
    module: dict[str, Any] = getattr(function, "__globals__", {})
    # A plugin may define the types of its params inside its class. Methods are left out: one
    # named `list` must not hide the type from the hints of the next.
    inside: dict[str, Any] = {}
    for base in reversed(owner.__mro__):
        inside |= {name: v for name, v in vars(base).items() if not inspect.isroutine(v)}
    return [module, module | inside]
