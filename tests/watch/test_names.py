"""Names that come and go."""

from __future__ import annotations

import pytest

from nebula_lab.watch.names import is_passing

PASSING = [
    "__pycache__",
    ".ipynb_checkpoints",
    ".git",
    ".a.py.swp",
    "a.py.swp",
    "4913",
    ".#a.py",
    "#a.py#",
    "a.py~",
    "a.py.tmp",
    "a.py___jb_tmp___",
    "a.py___jb_old___",
    ".goutputstream-X7QB42",
    ".~a.py",
    "a.pyc",
]


@pytest.mark.parametrize("name", PASSING)
def test_droppings_of_editors_and_caches_are_passed_over(name):
    assert is_passing(name)


@pytest.mark.parametrize("name", ["a.py", "plugin.toml", "a.ipynb", "4913.py", "data.csv", "a#b"])
def test_files_of_plugins_are_not(name):
    assert not is_passing(name)
