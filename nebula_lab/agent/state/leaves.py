"""What crosses as it is, and how much room it takes in a message."""

from __future__ import annotations

from typing import Any

from nebula_lab.agent.state.errors import NotKeptError
from nebula_lab.wire.errors import ValueNotSupportedError
from nebula_lab.wire.values import encode_value

LEAVES = frozenset({type(None), bool, int, float, str})
_NUMBER = 9  # bytes: a tag and eight


def cost(leaf: Any) -> int:
    """The most bytes that a leaf takes in the message.

    Raises:
        NotKeptError: it is a leaf that the wire does not carry.
    """
    if type(leaf) is str:
        if leaf.isascii():
            return len(leaf) + _NUMBER
        try:
            return len(leaf.encode()) + _NUMBER
        except UnicodeEncodeError:
            raise NotKeptError("text with half a pair of surrogates") from None
    if type(leaf) is int and not -(2**63) <= leaf < 2**64:
        return _cost_of_big_integer(leaf)
    return _NUMBER


def _cost_of_big_integer(number: int) -> int:
    try:
        encode_value(number)
    except ValueNotSupportedError as error:
        raise NotKeptError(error.found) from None
    return number.bit_length() // 8 + _NUMBER


def cost_of_all(leaves: list[Any], kinds: set[type]) -> int:
    """The most that they all take; `kinds` are their types."""
    if str not in kinds and (
        int not in kinds or (kinds == {int} and min(leaves) >= -(2**63) and max(leaves) < 2**64)
    ):
        return _NUMBER * len(leaves)
    return sum(map(cost, leaves))
