"""A folder of notebooks."""

from __future__ import annotations

import pytest
from notebook_shelf import Shelf


@pytest.fixture
def shelf(tmp_path) -> Shelf:
    path = tmp_path / "plugins"
    path.mkdir()
    return Shelf(path)
