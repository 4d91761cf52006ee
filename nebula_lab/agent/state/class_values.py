"""Values that a plugin keeps in its class and not in itself.

They are not carried over, and people do not expect that of `self.items.append(…)` where `items` is
the class's. So what has changed since the plugin was loaded is found and named.
"""

from __future__ import annotations

import collections
import copy
from collections.abc import Iterator
from typing import Any

from nebula_lab.agent.state.leaves import LEAVES
from nebula_lab.plugin import Plugin

# Larger ones are tables that nobody means to change, and to copy them would cost.
_MOST_ELEMENTS = 1000
_CONTAINERS = frozenset(
    {
        *(list, dict, set, bytearray, collections.deque),
        *(collections.Counter, collections.OrderedDict, collections.defaultdict),
    }
)


class ClassValues:
    """The public values of a plugin's class and its bases, as they were when it was loaded."""

    def __init__(self, kind: type) -> None:
        self._kind = kind
        self._before = dict(_copies(kind))

    def changed(self) -> list[str]:
        """The names of those that are others now."""
        return [
            name
            for (base, name), value in self._before.items()
            if not _is_equal(vars(base).get(name), value)
        ]


def _copies(kind: type) -> Iterator[tuple[tuple[type, str], Any]]:
    for base in kind.__mro__:
        if not issubclass(base, Plugin) or base is Plugin:
            continue
        for name, value in list(vars(base).items()):
            if name.startswith("_") or not _is_watched(value):
                continue
            try:
                yield (base, name), copy.deepcopy(value)
            except Exception:  # noqa: BLE001, S112 - it runs the plugin's code; then nobody can tell
                continue


def _is_watched(value: Any) -> bool:
    kind = type(value)
    return kind in LEAVES or (kind in _CONTAINERS and len(value) <= _MOST_ELEMENTS)


def _is_equal(one: Any, other: Any) -> bool:
    try:
        return bool(one == other) or one != one  # NaN is no change
    except Exception:  # noqa: BLE001 - arrays in it, say, of which nobody can tell
        return True
