"""The notebooks, run by nbval: what they show is what is stored, every time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
# Each in a kernel of its own. What a race could change is tried much more often, at less cost, by
# test_same_outputs.py.
ROUNDS = int(os.environ.get("NOTEBOOK_ROUNDS", "2"))


@pytest.fixture
def copies(tmp_path):
    """Makes copies of a notebook that find the repository around them, as the notebook does."""

    def make(notebook: Path) -> list[Path]:
        for name in ("sample_plugins", "plugin_resource.yaml"):
            (tmp_path / name).symlink_to(ROOT / name)
        folder = tmp_path / NOTEBOOKS.name
        folder.mkdir()
        paths = [folder / f"{notebook.stem}-{number}.ipynb" for number in range(ROUNDS)]
        for path in paths:
            shutil.copy(notebook, path)
        return paths

    return make


def run_nbval(paths):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "nbval.plugin"]
    command += ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=180"]
    command += ["--nbval-sanitize-with", str(NOTEBOOKS / "sanitize.cfg"), "-p", "no:cacheprovider"]
    # A configuration of its own: that of the tests makes errors of warnings in nbval itself.
    command += ["-c", "/dev/null", "--rootdir", str(paths[0].parent), *map(str, paths)]
    # The first import of nbformat takes seconds where jsonschema has all its extras: all rounds
    # share one process, which loads no plugin of pytest's that it does not need.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    folder = paths[0].parent
    return subprocess.run(
        command, capture_output=True, text=True, cwd=folder, timeout=600, env=environment
    )


@pytest.mark.timeout(660)
@pytest.mark.parametrize("notebook", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_gives_what_it_shows_time_after_time(notebook, copies):
    paths = copies(notebook)
    run = run_nbval(paths)
    assert run.returncode == 0, run.stdout + run.stderr
    # Every cell of every copy, and none of them skipped.
    assert f"{ROUNDS * code_cells(notebook)} passed" in run.stdout


def code_cells(notebook):
    cells = json.loads(notebook.read_text())["cells"]
    return sum(cell["cell_type"] == "code" for cell in cells)


def test_no_notebook_holds_a_path_of_the_machine_that_ran_it():
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        text = notebook.read_text()
        assert "/home/" not in text
        assert str(NOTEBOOKS.parent) not in text
