"""The state of a plugin that has no methods for it: its public attributes."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Iterator
from typing import Any

from nebula_lab.agent.state.class_values import ClassValues
from nebula_lab.agent.state.collecting import collector_held
from nebula_lab.agent.state.errors import NotKeptError
from nebula_lab.agent.state.fitting import fits, hint_of
from nebula_lab.agent.state.naming import ClassNames, shown
from nebula_lab.agent.state.packing import pack, unpack
from nebula_lab.agent.state.reader import Reader
from nebula_lab.agent.state.words import words_for
from nebula_lab.agent.state.writer import Writer
from nebula_lab.plugin import Plugin

PRIVATE = "private"
_MISSING = object()


class AttributeState:
    """The public attributes of one resource.

    Args:
        resource: whose they are.
        module: the name of the plugin's module.
        config: what the plugin is initialized with.
    """

    def __init__(self, resource: Any, module: str, config: Any) -> None:
        self._resource = resource
        self._names = ClassNames(module)
        self._config = config
        self._class_values = ClassValues(type(resource))
        # What restoring has replaced, so that a later state finds what the first one found.
        self._replaced: dict[str, Any] = {}

    # Saving

    def save(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The attributes that can be kept, and why the others are not."""
        with collector_held():
            return self._save()

    def _save(self) -> tuple[dict[str, Any], dict[str, str]]:
        writer = Writer(self._names)
        kept: dict[str, Any] = {}
        left_out: dict[str, str] = {}
        for name, value in _own_attributes(self._resource):
            reason = self._reason_to_leave(name, value)
            if reason is None:
                try:
                    kept[name] = writer.write(name, value)
                except NotKeptError as error:
                    reason = str(error)
            if reason:
                left_out[name] = reason
        for name in self._class_values.changed():
            if name not in kept:
                left_out.setdefault(name, "it is the class's own; set it in initialize to keep it")
        nodes = pack([kept, writer.nodes])
        return {"nodes": nodes, "pieces": writer.pieces}, left_out

    def _reason_to_leave(self, name: str, value: Any) -> str | None:
        """Why an attribute is none of the state; empty where nobody will miss it."""
        if name == "context":
            return ""
        if name == "config":
            same = _is_same(value, self._config)
            return "" if same else "the new code is given its configuration anew"
        if name.startswith("_"):
            return PRIVATE
        there = inspect.getattr_static(type(self._resource), name, None)
        if isinstance(there, functools.cached_property):
            return "a cached property, which is computed anew"
        return "it stands in place of an operation" if name in _operations(self._resource) else None

    # Restoring

    def values(self, state: Any) -> tuple[dict[str, Any], dict[str, str]]:
        """The values in a state, and why some can't be had here."""
        with collector_held():
            return self._values(state)

    def _values(self, state: Any) -> tuple[dict[str, Any], dict[str, str]]:
        kept, nodes = unpack(state["nodes"])
        reader = Reader(nodes, state["pieces"], self._names)
        values: dict[str, Any] = {}
        left_out: dict[str, str] = {}
        for name, found in kept.items():
            try:
                values[name] = reader.read(found)
            except NotKeptError as error:
                left_out[name] = str(error)
            else:
                if reader.notes:
                    left_out[name] = f"kept in part: {'; '.join(reader.notes)}"
        return values, left_out

    def restore(self, state: Any, *, is_final: bool) -> dict[str, str]:
        """Set the attributes; the reasons for those that can't be.

        What an earlier call has set and this state lacks is as `initialize` left it.

        Args:
            state: what `save` gave.
            is_final: no other state follows, so that what `initialize` left may be let go of.
        """
        self._put_back()
        values, left_out = self.values(state)
        for name, value in values.items():
            reason = self._obstacle(name, value) or self._set(name, value)
            if reason is not None:
                left_out[name] = reason
        if is_final:
            self._replaced.clear()
        return left_out

    def _obstacle(self, name: str, value: Any) -> str | None:
        if name in _operations(self._resource):
            return "it is an operation of the new code"
        there = inspect.getattr_static(type(self._resource), name, None)
        if callable(there) or isinstance(there, (staticmethod, classmethod)):
            return "it is a method of the new code"
        if isinstance(there, functools.cached_property):
            return "it is a cached property of the new code, which computes it"
        hint = hint_of(type(self._resource), name)
        if not fits(value, hint):
            return f"{words_for(value)}, where the new code's hint is {_hint(hint)}"
        return None

    def _set(self, name: str, value: Any) -> str | None:
        if name not in self._replaced:
            try:
                self._replaced[name] = getattr(self._resource, name, _MISSING)
            except Exception:  # noqa: BLE001 - a property of the plugin's may raise anything
                self._replaced[name] = _MISSING
        try:
            setattr(self._resource, name, value)
        except Exception as error:  # noqa: BLE001 - so may what sets it
            return f"the new code does not take it: {type(error).__name__}: {error}"
        return None

    def _put_back(self) -> None:
        for name, value in self._replaced.items():
            # What could not be set can't be put back either.
            with contextlib.suppress(Exception):
                if value is _MISSING:
                    delattr(self._resource, name)
                else:
                    setattr(self._resource, name, value)


def _own_attributes(resource: object) -> Iterator[tuple[str, Any]]:
    """What an instance has of its own, in its dictionary and its slots."""
    yield from dict(getattr(resource, "__dict__", {})).items()
    for base in type(resource).__mro__:
        slots = vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else tuple(slots):
            if name in ("__dict__", "__weakref__"):
                continue
            value = getattr(resource, name, _MISSING)
            if value is not _MISSING:
                yield name, value


def _operations(resource: object) -> frozenset[str]:
    if not isinstance(resource, Plugin):
        return frozenset()
    return frozenset(attribute for attribute, _ in type(resource)._methods.values())


def _is_same(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001 - arrays in it, say
        return False


def _hint(hint: Any) -> str:
    return shown(hint) if isinstance(hint, type) else str(hint)
