"""Takes values apart into plain ones, so that they can be put together as they were.

msgpack has trees of lists and dicts. A plugin's values have tuples, sets, one list in two places,
and lists that contain themselves. So each of them that is no leaf becomes a node in a list, made of
leaves and of references to nodes: a reference is a list of one number, which nothing else is.

All nodes together become one piece of bytes, which the manager passes on and need not look into.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from nebula_lab.agent.state.errors import NotKeptError
from nebula_lab.agent.state.forms import form_for
from nebula_lab.agent.state.leaves import are_leaves, cost, cost_of_all, is_leaf
from nebula_lab.agent.state.naming import ClassNames
from nebula_lab.agent.state.words import words_for

# What the nodes may take, and what arrays and large bytes beside them: a message has room for 2 GiB
# in 65,536 pieces. Numbers count as the most that they may take.
MOST_INLINE = 48 * 1024 * 1024
MOST_BESIDE = 2 * 1024**3 - 64 * 1024 * 1024
MOST_PIECES = 60_000
_NODE = 16
_PATH_STEPS = 6


class Writer:
    """Takes the values of one state apart.

    Args:
        names: of classes.

    Attributes:
        nodes: what `write` refers to; a tag and what the form of that tag has made of a value.
        pieces: bytes that nodes refer to by index.
    """

    def __init__(self, names: ClassNames) -> None:
        self.names = names
        self.nodes: list[Any] = []
        self.pieces: list[bytes | memoryview] = []
        # Where arrays are that lie in the memory of another object: see `forms.foreign`.
        self.memory: dict[int, list[tuple[Any, str]]] = {}
        self.attribute = ""
        self._indexes: dict[int, int] = {}
        self._classes: dict[type, int] = {}
        self._kept: list[Any] = []  # as long as they live, nothing else has their ids
        self._todo: deque[tuple[int, Any, Any, Any]] = deque()
        self._path: Any = None
        self._inline = self._beside = 0

    def write(self, name: str, value: Any) -> Any:
        """What stands for an attribute's value: a leaf or a reference.

        Raises:
            NotKeptError: it has something in it that can't be kept; nothing of it is then.
        """
        before = len(self.nodes), len(self.pieces), self._inline, self._beside
        self.attribute = name
        self._path = None
        try:
            found = self.refer(value, None)
            while self._todo:
                index, form, part, self._path = self._todo.popleft()
                self.nodes[index] = [form.tag, *form.take_apart(part, self)]
                self.charge(len(form.tag))
        except Exception as error:
            self._forget(*before)
            # Looking at a value may run the plugin's own code, which may raise anything.
            known = isinstance(error, NotKeptError)
            reason = str(error) if known else f"it can't be looked at: {error!r}"
            where = self._where()
            raise NotKeptError(f"{reason}, in {where}" if where != name else reason) from error
        return found

    def _forget(self, count: int, pieces: int, inline: int, beside: int) -> None:
        del self.nodes[count:]
        del self.pieces[pieces:]
        self._indexes = {key: index for key, index in self._indexes.items() if index < count}
        self._classes = {kind: index for kind, index in self._classes.items() if index < count}
        for seen in self.memory.values():
            seen[:] = [one for one in seen if one[1] != self.attribute]
        self._todo.clear()
        self._inline, self._beside = inline, beside

    def refer(self, value: Any, step: str | int | None) -> Any:
        """What stands for a part of the value that is being taken apart.

        Args:
            value: the part.
            step: how to get there from what it is a part of, such as `.name`, or an index.
        """
        if is_leaf(value):
            self.charge(cost(value))
            return value
        index = self._indexes.get(id(value))
        if index is None:
            index = self._new_node(value, step)
        return [index]

    def _new_node(self, value: Any, step: str | int | None) -> int:
        path = self._path if step is None else (self._path, step)
        form = form_for(value)
        if form is None:
            self._path = path
            raise NotKeptError(words_for(value))
        index = len(self.nodes)
        self.nodes.append(None)
        self._indexes[id(value)] = index
        self._kept.append(value)
        self._todo.append((index, form, value, path))
        self.charge(_NODE)
        return index

    def refer_class(self, kind: type) -> int:
        """The node that has a class's name.

        Raises:
            NotKeptError: nobody could find the class by its name.
        """
        index = self._classes.get(kind)
        if index is None:
            name = self.names.name(kind)
            self.charge_names(name)
            index = self._classes[kind] = len(self.nodes)
            self.nodes.append(name)
        return index

    def refer_all(self, values: list[Any]) -> list[Any]:
        """`refer` for each of many; at C speed where all are leaves."""
        kinds = set(map(type, values))
        if are_leaves(values, kinds):
            self.charge(cost_of_all(values, kinds))
            return values
        return [self.refer(value, index) for index, value in enumerate(values)]

    def charge(self, size: int) -> None:
        """Count what goes into the message.

        Raises:
            NotKeptError: there is no room for it.
        """
        self._inline += size
        if self._inline > MOST_INLINE:
            raise NotKeptError(_too_large(size, MOST_INLINE))

    def charge_names(self, names: Iterable[str]) -> None:
        """`charge` for names."""
        self.charge(sum(len(name.encode()) + _NODE for name in names))

    def add_piece(self, piece: bytes | memoryview) -> int:
        """Put bytes beside the nodes; their index.

        Raises:
            NotKeptError: there is no room for them.
        """
        size = len(piece)
        self._beside += size
        if self._beside > MOST_BESIDE:
            raise NotKeptError(_too_large(size, MOST_BESIDE))
        if len(self.pieces) >= MOST_PIECES:
            raise NotKeptError(f"more than {MOST_PIECES:,} arrays or pieces of bytes")
        self.pieces.append(piece)
        return len(self.pieces) - 1

    def _where(self) -> str:
        steps = []
        path = self._path
        while path is not None:
            path, step = path
            steps.append(f"[{step}]" if isinstance(step, int) else step)
        steps.reverse()
        more = "…" if len(steps) > _PATH_STEPS else ""
        return self.attribute + "".join(steps[:_PATH_STEPS]) + more


def _too_large(size: int, limit: int) -> str:
    if size > limit // 4:
        return f"too large: {max(1, size // 1_000_000):,} MB"
    return f"too large: there is room for {limit // 1_000_000:,} MB in all"
