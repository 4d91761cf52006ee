"""Params that are what the hints say already are passed on as they are, and no others."""

from __future__ import annotations

from datetime import datetime

import pytest

from nebula_lab.plugin import Plugin, operation


class Taker(Plugin):
    @operation
    def number(self, value: float) -> object:
        return [type(value).__name__, value]

    @operation
    def either(self, value: float | int | None) -> object:
        return [type(value).__name__, value]

    @operation
    def integers(self, value: list[int]) -> object:
        return [type(value).__name__, value]

    @operation
    def numbers(self, value: list[float]) -> object:
        return [[type(one).__name__ for one in value], value]

    @operation
    def group(self, value: set[int]) -> object:
        return type(value).__name__

    @operation
    def moment(self, value: datetime | str) -> object:
        return type(value).__name__

    @operation
    def raw(self, value: bytes) -> object:
        return type(value).__name__


@pytest.mark.parametrize(
    ("operation_name", "value", "result"),
    [
        ("number", 1, ["float", 1.0]),
        ("number", 1.5, ["float", 1.5]),
        ("either", 1, ["float", 1.0]),
        ("either", None, ["NoneType", None]),
        ("integers", [1, 2], ["list", [1, 2]]),
        ("integers", (1, 2), ["list", [1, 2]]),
        ("integers", [], ["list", []]),
        ("numbers", [1, 2.0], [["float", "float"], [1.0, 2.0]]),
        ("group", [1, 1], "set"),
        ("moment", "2026-01-01T00:00:00", "datetime"),
        ("raw", bytearray(b"x"), "bytes"),
    ],
)
def test_a_value_reaches_the_method_as_its_hint_says(operation_name, value, result):
    assert Taker().execute(operation_name, {"value": value}) == result
