"""Managers whose hosts are forked; they are closed after the test."""

from __future__ import annotations

import pytest
from forked_lab import Lab


@pytest.fixture
def open_lab(tmp_path):
    """Makes managers; they are closed after the test."""
    made = []

    def make(rights=None, **settings):
        folder = tmp_path / f"plugins{len(made)}"
        folder.mkdir()
        made.append(Lab(folder, rights, **settings))
        return made[-1]

    yield make
    for lab in made:
        lab.plugins.close()


@pytest.fixture
def lab(open_lab):
    return open_lab()
