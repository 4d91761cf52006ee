"""What a call was made with, as it is told in reports."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from nebula_lab.runtime.params_summary import summary


class Spy:
    def __repr__(self):
        raise AssertionError("nobody's code is to run")

    __len__ = __str__ = __repr__


CASES = [
    ({}, ""),
    ({"n": 1, "ok": True, "ratio": 0.5, "none": None}, "n=1, ok=True, ratio=0.5, none=None"),
    ({"text": "short"}, "text='short'"),
    ({"text": "x" * 5000}, "text=<str of 5,000>"),
    ({"n": 10**5000}, "n=<int>"),
    ({"rows": [1, 2], "by": {"a": 1}, "raw": b"abc"}, "rows=<list of 2>, by=<dict of 1>, raw=<b"),
    ({"array": np.zeros((3, 4))}, "array=<ndarray 3×4 float64>"),
    ({"when": datetime.date(2026, 1, 2)}, "when=datetime.date(2026, 1, 2)"),
    ({"api_key": "abc", "Password": "p"}, "api_key=<str of 3>, Password=<str of 1>"),
    ({"odd": Spy()}, "odd=<Spy>"),
    ({"line": "a\nb\x1b[31m"}, "line='a\\nb\\x1b[31m'"),
    ({f"n{n}": n for n in range(100)}, "n0=0, n1=1"),
]


@pytest.mark.parametrize(("params", "said"), CASES, ids=range(len(CASES)))
def test_params_are_summed_up(params, said):
    assert summary(params).startswith(said)


def test_a_summary_has_an_end():
    assert len(summary({"k" * 10_000 + str(n): "v" * 40 for n in range(10_000)})) <= 500
    assert summary({f"n{n}": n for n in range(100)}).endswith("… 88 more")
