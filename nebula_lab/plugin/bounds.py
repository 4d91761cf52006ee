"""Bounds that an author writes into a type hint: `Annotated[int, Bounds(ge=1, le=100)]`."""

from __future__ import annotations

import math

from nebula_lab.plugin.frozen import Frozen


class Bounds(Frozen):
    """What a value must keep to beyond its type; checked by the manager before a call is sent.

    The names are those of the annotated-types package, whose own objects are understood as well.
    `ge`, `le`, `gt`, `lt` and `multiple_of` are for numbers, the lengths for text, bytes and lists.

    Raises:
        ValueError: a bound that is not a finite number, or a length that is not a count.
    """

    __match_args__ = ("ge", "le", "gt", "lt", "min_length", "max_length", "multiple_of")

    ge: float | None
    le: float | None
    gt: float | None
    lt: float | None
    min_length: int | None
    max_length: int | None
    multiple_of: float | None

    def __init__(
        self,
        ge: float | None = None,
        le: float | None = None,
        gt: float | None = None,
        lt: float | None = None,
        min_length: int | None = None,
        max_length: int | None = None,
        multiple_of: float | None = None,
    ) -> None:
        for name, bound in (("ge", ge), ("le", le), ("gt", gt), ("lt", lt)):
            if not (bound is None or is_finite_number(bound)):
                raise ValueError(f"{name} must be a finite number, not {bound!r}")
        for name, length in (("min_length", min_length), ("max_length", max_length)):
            if not (length is None or is_count(length)):
                raise ValueError(f"{name} must be a whole number from 0 up, not {length!r}")
        if not (multiple_of is None or (is_finite_number(multiple_of) and multiple_of > 0)):
            raise ValueError(f"multiple_of must be a finite number above 0, not {multiple_of!r}")
        self._fill(ge, le, gt, lt, min_length, max_length, multiple_of)

    def __repr__(self) -> str:
        given = zip(self.__match_args__, self._values(), strict=True)
        shown = [f"{name}={bound!r}" for name, bound in given if bound is not None]
        return f"Bounds({', '.join(shown)})"


def is_finite_number(value: object) -> bool:
    """An int or a float, and neither a bool nor NaN nor infinite."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))


def is_count(value: object) -> bool:
    """An int from 0 up, and not a bool."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
