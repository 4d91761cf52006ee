"""The notebooks, run by nbval: what they show is what is stored, every time."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
ROUNDS = 20
AT_ONCE = 2


def run_nbval(notebook, _round):
    command = [sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-current-env"]
    command += ["--nbval-sanitize-with", str(NOTEBOOKS / "sanitize.cfg")]
    # A configuration of its own: that of the tests makes errors of warnings in nbval itself.
    command += ["--nbval-cell-timeout=60", "-p", "no:cacheprovider", "-c", "/dev/null"]
    command += ["--rootdir", str(NOTEBOOKS), str(notebook)]
    return subprocess.run(command, capture_output=True, text=True, cwd=NOTEBOOKS, timeout=300)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("notebook", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_gives_what_it_shows_twenty_times_over(notebook):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = list(pool.map(run_nbval, [notebook] * ROUNDS, range(ROUNDS)))
    failed = [run.stdout + run.stderr for run in runs if run.returncode]
    assert not failed, f"{len(failed)} of {ROUNDS} runs differ; the first:\n{failed[0]}"


def test_no_notebook_holds_a_path_of_the_machine_that_ran_it():
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        text = notebook.read_text()
        assert "/home/" not in text
        assert str(NOTEBOOKS.parent) not in text
