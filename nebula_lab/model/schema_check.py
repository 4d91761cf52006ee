"""Schemas as closures, one for each part, put together once and called for every value.

A check returns None for a value that fits, which is the case to be quick about. Paths are put
together only once something does not fit, on the way back up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from nebula_lab.errors import nearest_names
from nebula_lab.model.schema_bounds import bound_checks
from nebula_lab.model.schema_exact import exact_types
from nebula_lab.model.schema_kinds import kind_checks
from nebula_lab.model.schema_mismatch import Check, Mismatch
from nebula_lab.model.schema_values import value_checks
from nebula_lab.model.schema_words import in_words, names_in_words
from nebula_lab.plugin.shorten import path_step, short_repr

__all__ = ["Check", "Mismatch", "compile_checks"]

# A plugin chooses the names; finding the nearest of very many or very long ones takes time.
_MAX_NAMES = 500
_MAX_NAME_LENGTH = 100
_NOTHING: frozenset[type] = frozenset()
_OBJECT_KEYWORDS = frozenset({"properties", "required", "additionalProperties"})
_ARRAY_KEYWORDS = frozenset({"items", "prefixItems"})
_KEYWORDS_OF: Mapping[str, frozenset[str]] = MappingProxyType(
    {"object": _OBJECT_KEYWORDS, "array": _ARRAY_KEYWORDS}
)


def compile_checks(schema: Mapping[str, Any], noun: str = "parameter") -> Check:
    """The check for a schema that `read_schema` has let through.

    Args:
        schema: the schema.
        noun: what to call an unknown name in the value itself; further down it is a key.
    """
    kind = schema.get("type")
    checks: list[Check] = []
    if schema.keys() & _OBJECT_KEYWORDS:
        checks.append(_object_check(schema, noun))
    if schema.keys() & _ARRAY_KEYWORDS:
        checks.append(_items_check(schema))
    # Those two ask for the type themselves, where it is their own: one call less for each value.
    if not schema.keys() & _KEYWORDS_OF.get(str(kind), frozenset()):
        checks = [*kind_checks(schema), *checks]
    checks += [*value_checks(schema), *bound_checks(schema)]
    if "anyOf" in schema:
        checks.append(_any_of_check(schema))
    return _all_of(checks)


def _all_of(checks: list[Check]) -> Check:
    if not checks:
        return lambda value: None
    if len(checks) == 1:
        return checks[0]
    if len(checks) == 2:
        first, second = checks
        return lambda value: first(value) or second(value)

    def check(value: object) -> Mismatch | None:
        for one in checks:
            if (mismatch := one(value)) is not None:
                return mismatch
        return None

    return check


def _items_check(schema: Mapping[str, Any]) -> Check:
    first = [compile_checks(one, "key") for one in schema.get("prefixItems", ())]
    rest = compile_checks(schema["items"], "key") if schema.get("items") else None
    start = len(first)
    demanded = schema.get("type") == "array"
    exact = _NOTHING if first else exact_types(schema.get("items") or {})

    def check(value: object) -> Mismatch | None:
        if not isinstance(value, (list, tuple)):
            return Mismatch("array", value) if demanded else None
        if exact and exact.issuperset(map(type, value)):
            return None
        for index, (one, item) in enumerate(zip(first, value, strict=False)):
            if (mismatch := one(item)) is not None:
                return mismatch.below(f"[{index}]")
        if rest is not None:
            for index in range(start, len(value)):
                if (mismatch := rest(value[index])) is not None:
                    return mismatch.below(f"[{index}]")
        return None

    return check


def _object_check(schema: Mapping[str, Any], noun: str) -> Check:
    properties = {
        name: compile_checks(one, "key") for name, one in schema.get("properties", {}).items()
    }
    exact = {name: exact_types(one) for name, one in schema.get("properties", {}).items()}
    required = tuple(schema.get("required", ()))
    all_required = frozenset(required)
    other = _other_check(schema, noun)
    find, find_exact = properties.get, exact.get
    demanded = schema.get("type") == "object"

    def check(value: object) -> Mismatch | None:
        if not isinstance(value, dict):
            return Mismatch("object", value) if demanded else None
        for name, item in value.items():
            if type(item) in find_exact(name, _NOTHING):
                continue
            one = find(name)
            mismatch = one(item) if one is not None else other(name, item)
            if mismatch is not None:
                return mismatch.below(path_step(name))
        if all_required <= value.keys():
            return None
        return next(_missing(schema, name) for name in required if name not in value)

    return check


def _other_check(
    schema: Mapping[str, Any], noun: str
) -> Callable[[object, object], Mismatch | None]:
    additional = schema.get("additionalProperties", True)
    if additional is True:
        return lambda name, item: None
    if additional is False:
        known = list(schema.get("properties", ()))
        return lambda name, item: _unknown(name, known, noun)
    check = compile_checks(additional, "key")
    return lambda name, item: check(item)


def _unknown(name: object, known: list[str], noun: str) -> Mismatch:
    found = f"unknown {noun} {short_repr(name)}"
    candidates = [one for one in known[:_MAX_NAMES] if len(one) <= _MAX_NAME_LENGTH]
    near = nearest_names(str(name)[:_MAX_NAME_LENGTH], candidates, 1)
    if near:
        found += f", did you mean {near[0]!r}?"
    return Mismatch(names_in_words(known), name, found)


def _missing(schema: Mapping[str, Any], name: str) -> Mismatch:
    wanted = in_words(schema.get("properties", {}).get(name, {}))
    return Mismatch(f"{wanted} (it is required)", None, "nothing").below(path_step(name))


def _any_of_check(schema: Mapping[str, Any]) -> Check:
    options = [compile_checks(one, "key") for one in schema["anyOf"]]
    expected = in_words({"anyOf": schema["anyOf"]})
    exact = exact_types({"anyOf": schema["anyOf"]})

    def check(value: object) -> Mismatch | None:
        if type(value) in exact:
            return None
        failures = []
        for option in options:
            mismatch = option(value)
            if mismatch is None:
                return None
            failures.append(mismatch)
        # When one alternative alone is of the right kind, what is wrong inside it says more.
        deeper = [mismatch for mismatch in failures if mismatch.path]
        return deeper[0] if len(deeper) == 1 else Mismatch(expected, value)

    return check
