"""Puts together what `writer` took apart."""

from __future__ import annotations

from collections import deque
from typing import Any

from nebula_lab.agent.state.errors import NotKeptError
from nebula_lab.agent.state.forms import FORMS
from nebula_lab.agent.state.naming import ClassNames


class Reader:
    """Puts the values of one state together.

    What can change is made empty and filled later, so that it may contain itself; what is looked
    up by its hash is filled last, when what the hash is of is there.

    Args:
        nodes: what `Writer` made.
        pieces: what it put beside them.
        names: of classes.

    Attributes:
        notes: what is not as it was in the value that is being read.
    """

    def __init__(self, nodes: list[Any], pieces: list[bytes], names: ClassNames) -> None:
        self.pieces = pieces
        self._names = names
        self._classes: dict[int, type] = {}
        self.notes: list[str] = []
        self._nodes = nodes
        self._made: dict[int, Any] = {}
        self._made_now: list[int] = []
        self._unfinished: set[int] = set()
        self._to_fill: deque[tuple[Any, Any, list[Any]]] = deque()
        self._to_hash: deque[tuple[Any, Any, list[Any]]] = deque()

    def read(self, found: Any) -> Any:
        """The value that a leaf or a reference stands for.

        Raises:
            NotKeptError: it can't be put together here.
        """
        self.notes = []
        self._made_now = []
        try:
            value = self.value(found)
            self._fill_all()
        except Exception as error:
            # Of what is half done nothing may turn up in another attribute.
            for index in self._made_now:
                self._made.pop(index, None)
            self._unfinished.clear()
            self._to_fill.clear()
            self._to_hash.clear()
            if isinstance(error, NotKeptError):
                raise
            raise NotKeptError(f"it can't be put together: {error!r}") from error
        return value

    def value(self, found: Any) -> Any:
        """What stands for a part; it may still have to be filled."""
        if type(found) is not list:
            return found
        index = found[0]
        if index in self._made:
            return self._made[index]
        if index in self._unfinished:
            raise NotKeptError("it contains itself in a way that can't be put together")
        self._unfinished.add(index)
        made = self._make(index)
        self._unfinished.discard(index)
        return made

    def find_class(self, index: int) -> type:
        """The class whose name that node has.

        Raises:
            NotKeptError: there is none of that name.
        """
        if index not in self._classes:
            self._classes[index] = self._names.find(self._nodes[index])
        return self._classes[index]

    def _make(self, index: int) -> Any:
        tag, *parts = self._nodes[index]
        form = FORMS[tag]
        made = self._made[index] = form.make(parts, self)
        self._made_now.append(index)
        if form.fill is not None:
            queue = self._to_hash if form.hashes else self._to_fill
            queue.append((form, made, parts))
        return made

    def fill_what_is_hashed(self) -> None:
        """Fill all that has no hashes of its own to look up, before a hash is taken."""
        while self._to_fill:
            form, made, parts = self._to_fill.popleft()
            form.fill(made, parts, self)

    def _fill_all(self) -> None:
        self.fill_what_is_hashed()
        while self._to_hash:
            form, made, parts = self._to_hash.popleft()
            form.fill(made, parts, self)
            self.fill_what_is_hashed()
