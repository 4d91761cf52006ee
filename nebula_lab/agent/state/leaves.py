"""What is in the nodes as it is, and how much room it takes there."""

from __future__ import annotations

from typing import Any

from nebula_lab.agent.state.errors import NotKeptError
from nebula_lab.wire.parcel import THRESHOLD

LEAVES = frozenset({type(None), bool, int, float, str})
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1  # of the integers that msgpack has
_NUMBER = 9  # bytes: a tag and eight


def is_leaf(value: Any) -> bool:
    """Whether a value needs no node: large integers and many bytes do."""
    kind = type(value)
    if kind is int:
        return bool(_SMALLEST <= value <= _LARGEST)
    return kind in LEAVES or (kind is bytes and len(value) < THRESHOLD)


def are_leaves(values: list[Any], kinds: set[type]) -> bool:
    """`is_leaf` of each of many, whose types are `kinds`; False also where a look is too slow."""
    if not kinds <= LEAVES:
        return False
    if kinds == {int}:
        return bool(min(values) >= _SMALLEST and max(values) <= _LARGEST)
    return int not in kinds or all(map(is_leaf, values))


def cost(leaf: Any) -> int:
    """The most bytes that a leaf takes.

    Raises:
        NotKeptError: it is text that UTF-8 has no bytes for.
    """
    if type(leaf) is bytes:
        return len(leaf) + _NUMBER
    if type(leaf) is not str:
        return _NUMBER
    if leaf.isascii():
        return len(leaf) + _NUMBER
    try:
        return len(leaf.encode()) + _NUMBER
    except UnicodeEncodeError:
        raise NotKeptError("text with half a pair of surrogates") from None


def cost_of_all(leaves: list[Any], kinds: set[type]) -> int:
    """The most that they all take; `kinds` are their types."""
    return sum(map(cost, leaves)) if str in kinds else _NUMBER * len(leaves)
