"""Python's own containers, and those of `collections`."""

from __future__ import annotations

import collections
import types
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nebula_lab.agent.state.errors import NotKeptError
from nebula_lab.agent.state.forms.base import Form
from nebula_lab.agent.state.leaves import LEAVES, are_leaves, cost, cost_of_all
from nebula_lab.agent.state.words import words_for

if TYPE_CHECKING:
    from nebula_lab.agent.state.reader import Reader
    from nebula_lab.agent.state.writer import Writer

# What may make the values that a defaultdict lacks: names in a state, and no code.
_FACTORIES: Mapping[str, Any] = MappingProxyType(
    {
        one.__name__: one
        for one in (
            *(list, dict, set, tuple, frozenset, int, float, str, bytes, bool),
            *(collections.deque, collections.Counter, collections.OrderedDict),
        )
    }
)


def _elements(value: Any, writer: Writer) -> list[Any]:
    # Copied in one step: another thread of the plugin may change it meanwhile.
    return [writer.refer_all(list(value))]


def _set_elements(value: Any, writer: Writer) -> list[Any]:
    return [[writer.refer(one, "{…}") for one in list(value)]]


def _items(value: Any, writer: Writer) -> list[Any]:
    """A dict with text keys as one, another as a list of pairs."""
    copy = dict(value)
    if set(map(type, copy)) <= {str}:
        writer.charge(sum(map(cost, copy)))
        values = list(copy.values())
        kinds = set(map(type, values))
        if are_leaves(values, kinds):
            writer.charge(cost_of_all(values, kinds))
            return [copy]
        return [{key: writer.refer(one, f"[{key!r}]") for key, one in copy.items()}]
    return [
        [
            [writer.refer(key, f"[key {_short(key)}]"), writer.refer(one, f"[{_short(key)}]")]
            for key, one in copy.items()
        ]
    ]


def _short(key: Any) -> str:
    is_short = type(key) in LEAVES or type(key) is bytes
    return repr(key)[:40] if is_short else f"a {type(key).__name__}"


def _deque_parts(value: Any, writer: Writer) -> list[Any]:
    return [*_elements(value, writer), value.maxlen]


def _defaultdict_parts(value: Any, writer: Writer) -> list[Any]:
    factory = value.default_factory
    name = getattr(factory, "__name__", "") if factory is not None else ""
    if factory is not None and _FACTORIES.get(name) is not factory:
        raise NotKeptError(f"a defaultdict that makes its values by {words_for(factory)}")
    return [*_items(value, writer), name]


def _fill_list(made: Any, parts: list[Any], reader: Reader) -> None:
    made.extend(map(reader.value, parts[0]))


def _fill_set(made: Any, parts: list[Any], reader: Reader) -> None:
    made.update(_hashable(parts, reader))


def _hashable(parts: list[Any], reader: Reader) -> list[Any]:
    elements = [reader.value(one) for one in parts[0]]
    reader.fill_what_is_hashed()
    return elements


def _fill_dict(made: Any, parts: list[Any], reader: Reader) -> None:
    items = parts[0].items() if isinstance(parts[0], dict) else parts[0]
    pairs = [(reader.value(key), reader.value(one)) for key, one in items]
    reader.fill_what_is_hashed()
    for key, one in pairs:
        made[key] = one


def _make_frozenset(parts: list[Any], reader: Reader) -> Any:
    return frozenset(_hashable(parts, reader))


def _make_tuple(parts: list[Any], reader: Reader) -> Any:
    return tuple(map(reader.value, parts[0]))


def _make_deque(parts: list[Any], reader: Reader) -> Any:
    return collections.deque(maxlen=parts[1])


def _make_defaultdict(parts: list[Any], reader: Reader) -> Any:
    return collections.defaultdict(_FACTORIES[parts[1]] if parts[1] else None)


def _fill_namespace(made: Any, parts: list[Any], reader: Reader) -> None:
    vars(made).update((key, reader.value(one)) for key, one in parts[0].items())


def _namespace_parts(value: Any, writer: Writer) -> list[Any]:
    return _items(vars(value), writer)


def _empty(kind: Callable[[], Any]) -> Callable[[list[Any], Reader], Any]:
    return lambda parts, reader: kind()


CONTAINERS: Mapping[type, Form] = MappingProxyType(
    {
        list: Form("list", _elements, _empty(list), _fill_list),
        tuple: Form("tuple", _elements, _make_tuple),
        dict: Form("dict", _items, _empty(dict), _fill_dict, hashes=True),
        set: Form("set", _set_elements, _empty(set), _fill_set, hashes=True),
        frozenset: Form("frozenset", _set_elements, _make_frozenset),
        collections.deque: Form("deque", _deque_parts, _make_deque, _fill_list),
        collections.OrderedDict: Form(
            "OrderedDict", _items, _empty(collections.OrderedDict), _fill_dict, hashes=True
        ),
        collections.Counter: Form(
            "Counter", _items, _empty(collections.Counter), _fill_dict, hashes=True
        ),
        collections.defaultdict: Form(
            "defaultdict", _defaultdict_parts, _make_defaultdict, _fill_dict, hashes=True
        ),
        types.SimpleNamespace: Form(
            "SimpleNamespace", _namespace_parts, _empty(types.SimpleNamespace), _fill_namespace
        ),
    }
)
