"""How values of one type are taken apart and put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from nebula_lab.agent.state.reader import Reader
    from nebula_lab.agent.state.writer import Writer


class Form(NamedTuple):
    """One type's way.

    Attributes:
        tag: its name in a state.
        take_apart: the parts of a value, as plain values, leaves and references.
        make: the value of these parts; empty where `fill` follows.
        fill: puts the parts into what `make` made; for what can change and so contain itself.
        hashes: filling takes the hashes of the parts.
    """

    tag: str
    take_apart: Callable[[Any, Writer], list[Any]]
    make: Callable[[list[Any], Reader], Any]
    fill: Callable[[Any, list[Any], Reader], None] | None = None
    hashes: bool = False
