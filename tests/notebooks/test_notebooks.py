"""The notebooks, run by nbval: what they show is what is stored, every time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from local_wheels import repack, write_wheel

from nebula_lab.environments.host_packages import preferred_versions

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
# Each in a kernel of its own, and held against what an earlier one stored. What a race could change
# is tried much more often, at less cost, by tests/notebook/test_notebook_same_outputs.py.
ROUNDS = int(os.environ.get("NOTEBOOK_ROUNDS", "1"))
# The plugins of this one ask for packages, which no test fetches from another machine.
WITH_PACKAGES = "03_dependencies_and_environments"
# It alone leaves something that the next round finds, its environments.
LEAST_ROUNDS = {WITH_PACKAGES: 2}
INFLECTION = """
__version__ = {version!r}

def pluralize(word):
    if word.endswith("y"):
        return word[:-1] + "ies"
    return word + ("es" if word.endswith("x") else "s")
"""


@pytest.fixture
def copies(tmp_path):
    """Makes copies of a notebook that find the repository around them, as the notebook does."""

    def make(notebook: Path) -> list[Path]:
        for name in ("sample_plugins", "plugin_resource.yaml"):
            (tmp_path / name).symlink_to(ROOT / name)
        folder = tmp_path / NOTEBOOKS.name
        folder.mkdir()
        rounds = max(ROUNDS, LEAST_ROUNDS.get(notebook.stem, 1))
        paths = [folder / f"{notebook.stem}-{number}.ipynb" for number in range(rounds)]
        for path in paths:
            shutil.copy(notebook, path)
        return paths

    return make


@pytest.fixture
def packages(tmp_path):
    """Variables that make a folder of wheels the only index: a host's, numpy, two inflections."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for one in (*preferred_versions(), "numpy"):
        repack(one.partition("==")[0], folder)
    for version in ("0.4.0", "0.5.1"):
        write_wheel(
            folder, "inflection", version, {"inflection.py": INFLECTION.format(version=version)}
        )
    settings = tmp_path / "uv.toml"
    settings.write_text("no-index = true\n")
    return {
        "UV_CONFIG_FILE": str(settings),
        "UV_FIND_LINKS": str(folder),
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        "PIP_CONFIG_FILE": os.devnull,
        "NEBULA_LAB_HOME": str(tmp_path / "home"),
    }


def run_nbval(paths, variables):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "nbval.plugin"]
    command += ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=180"]
    command += ["--nbval-sanitize-with", str(NOTEBOOKS / "sanitize.cfg"), "-p", "no:cacheprovider"]
    # A configuration of its own: that of the tests makes errors of warnings in nbval itself.
    command += ["-c", "/dev/null", "--rootdir", str(paths[0].parent), *map(str, paths)]
    # The first import of nbformat takes seconds where jsonschema has all its extras: all rounds
    # share one process, which loads no plugin of pytest's that it does not need.
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))
    }
    environment = {**inherited, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **variables}
    environment.pop("PYTEST_ADDOPTS", None)
    folder = paths[0].parent
    return subprocess.run(
        command, capture_output=True, text=True, cwd=folder, timeout=600, env=environment
    )


@pytest.mark.timeout(660)
@pytest.mark.parametrize("notebook", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_gives_what_it_shows(notebook, copies, request):
    variables = request.getfixturevalue("packages") if notebook.stem == WITH_PACKAGES else {}
    paths = copies(notebook)
    run = run_nbval(paths, variables)
    assert run.returncode == 0, run.stdout + run.stderr
    # Every cell of every copy, and none of them skipped.
    assert f"{len(paths) * code_cells(notebook)} passed" in run.stdout


def code_cells(notebook):
    cells = json.loads(notebook.read_text())["cells"]
    return sum(cell["cell_type"] == "code" for cell in cells)


def test_the_notebook_that_is_given_packages_is_there():
    assert (NOTEBOOKS / f"{WITH_PACKAGES}.ipynb").exists()


def test_no_notebook_holds_a_path_of_the_machine_that_ran_it():
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        text = notebook.read_text()
        assert "/home/" not in text
        assert str(NOTEBOOKS.parent) not in text
