"""The front end's own tests, which are TypeScript."""

from __future__ import annotations

import gzip
import importlib.util
import os
import subprocess
from pathlib import Path

import pytest

EXTENSIONS = Path(__file__).parents[2] / "extensions"
PACKAGE = EXTENSIONS.parent / "nebula_lab"


def _build_script():
    spec = importlib.util.spec_from_file_location("front_end_build", EXTENSIONS / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_installation_that_was_interrupted_is_made_anew_and_a_whole_one_is_not(
    tmp_path, monkeypatch
):
    script, ran = _build_script(), []
    (tmp_path / "package-lock.json").touch()
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules/.package-lock.json").touch()  # npm leaves it when it is interrupted
    monkeypatch.setattr(script, "EXTENSIONS", tmp_path)
    monkeypatch.setattr(script, "STATIC", tmp_path / "static")
    monkeypatch.setattr(script, "find_npm", lambda: str(tmp_path / "npm"))
    monkeypatch.setattr(script, "_run", lambda command, _: ran.append(command[1]))
    script.build()
    script.build()
    assert ran == ["ci", "run", "run"]


def test_the_tests_of_the_front_end_pass():
    assert (EXTENSIONS / "node_modules").is_dir(), "run: make frontend"
    script = _build_script()
    npm = script.find_npm()
    path = os.pathsep.join([str(Path(npm).parent), script.search_path()])
    done = subprocess.run(
        [npm, "test", "--silent"],
        cwd=EXTENSIONS,
        env={**os.environ, "PATH": path, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]


def test_no_lock_file_says_where_packages_come_from():
    lock = (EXTENSIONS / "package-lock.json").read_text()
    assert '"resolved": "http' not in lock


@pytest.mark.parametrize(
    ("folder", "most"), [("notebook/static", 100_000), ("labextension/static", 150_000)]
)
def test_what_is_built_is_small(folder, most):
    built = [file for file in (PACKAGE / folder).iterdir() if file.suffix in (".js", ".css")]
    assert built, "run: make frontend"
    assert sum(len(gzip.compress(file.read_bytes())) for file in built) < most
