"""Environments share the files that they have in common, so that one more takes little room."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from local_wheels import write_wheel

from nebula_lab.environments.upkeep import remove_unused
from nebula_lab.model import PythonNeeds


@pytest.fixture
def two(index, cache):
    """The packages folders of two environments that have `common`, and one thing each besides."""
    for name in ("common", "mine", "yours"):
        write_wheel(index, name, "1.0", {f"{name}.py": f"name = {name!r}\n"})
    found = [cache.ready(PythonNeeds(dependencies=("common", one))) for one in ("mine", "yours")]
    return [Path(one.packages[0]) for one in found]


def test_what_is_installed_twice_is_one_file(two, kept):
    mine, yours = (one / "common.py" for one in two)
    assert mine.samefile(yours)
    in_the_cache_of_uv = [one for one in (kept / "uv").rglob("common.py") if one.samefile(mine)]
    assert in_the_cache_of_uv


def test_what_is_compiled_twice_is_one_file(two):
    mine, yours = (next(one.glob("__pycache__/common.*.pyc")) for one in two)
    assert mine.samefile(yours)


def test_one_that_is_removed_takes_nothing_from_the_other(two, cache):
    mine, yours = two
    text = (yours / "common.py").read_text()
    cache.close()
    key = mine.relative_to(cache.layout.built).parts[0]
    os.utime(cache.layout.lock(key), (0, 0))  # as if nobody had used it since 1970
    assert remove_unused(cache.layout, 3600.0).environments == 1
    assert not mine.exists()
    assert (yours / "common.py").read_text() == text
