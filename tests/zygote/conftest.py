"""Managers whose hosts are forked; they are closed after the test."""

from __future__ import annotations

import pytest
from forked_lab import Lab


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Waits long for a zygote, which a busy machine may keep from answering at once.

    It can be called with the seconds until one that says nothing is given up.
    """

    def wait(seconds):
        monkeypatch.setattr("nebula_lab.sandbox.zygote._FORKING", seconds)
        monkeypatch.setattr("nebula_lab.sandbox.zygote._STARTING", seconds)

    wait(30.0)
    return wait


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
