"""How a front end sees whether we are loaded, and that the user's cells do not feel it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("drive_probe.py")


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """What a front end saw that asked a kernel again and again."""
    command = [sys.executable, PROGRAM, tmp_path_factory.mktemp("probe")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_it_sees_when_we_are_loaded_loaded_anew_and_unloaded(asked):
    moments = ("before", "while a cell runs", "loaded", "loaded anew", "unloaded")
    assert [asked[moment] for moment in moments] == [0, 0, 1, 1, 0]


def test_asking_while_a_cell_runs_fires_no_event_of_ipython(asked):
    assert asked["errors"] == []


def test_a_figure_of_a_cell_that_is_asked_beside_stays_under_it(asked):
    assert asked["figures"] == 1


def test_the_mark_tells_front_ends_nothing(asked):
    assert asked["comm messages"] == []
