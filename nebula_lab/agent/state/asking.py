"""Calls the methods that a plugin may have or not, with as many arguments as they take."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def method_of(resource: object, name: str) -> Callable[..., Any] | None:
    """A method of the plugin's, or None."""
    found = getattr(resource, name, None)
    return found if callable(found) else None


def then(value: Any, finish: Callable[[Any], Any]) -> Any:
    """`finish(value)`; of what an async method gave, once it has been awaited."""
    return _awaited(value, finish) if hasattr(value, "__await__") else finish(value)


async def _awaited(value: Awaitable[Any], finish: Callable[[Any], Any]) -> Any:
    return finish(await value)


def call_with_version(
    method: Callable[..., Any], given: tuple[Any, ...], from_version: str | None
) -> Any:
    """Call `method(*given)`, with the old version where it takes that.

    It does as `from_version`, or as one more parameter that it can't be called without.
    """
    if from_version is not None:
        if takes_version(method):
            return method(*given, from_version=from_version)
        if _needs_one_more(method, len(given)):
            return method(*given, from_version)
    return method(*given)


def takes_version(method: Callable[..., Any]) -> bool:
    """Whether it can be called with `from_version=…`."""
    return any(
        one.kind is one.VAR_KEYWORD
        or (
            one.name == "from_version" and one.kind not in (one.POSITIONAL_ONLY, one.VAR_POSITIONAL)
        )
        for one in _parameters(method)
    )


def _needs_one_more(method: Callable[..., Any], given: int) -> bool:
    taken = [one for one in _parameters(method) if one.kind in _BY_POSITION]
    return len(taken) > given and taken[given].default is inspect.Parameter.empty


def _parameters(method: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(method).parameters.values())
    except (TypeError, ValueError):  # a builtin, say, that does not tell
        return []
