"""Which folders a Python brings along into every sandbox: never the user's home."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from nebula_lab.environments.index_settings import index_settings
from nebula_lab.environments.interpreters import Interpreters
from nebula_lab.environments.python_folders import library_folders_of
from nebula_lab.environments.uv_tool import Uv

MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Of a user whose Python is right in it."""
    folder = tmp_path / "home"
    for name in ("bin", f"lib/python{MINOR}", ".ssh", ".local/lib"):
        (folder / name).mkdir(parents=True)
    (folder / "lib" / "libpython3.so").touch()
    monkeypatch.setenv("HOME", str(folder))
    return folder


def shown(folders, path):
    return any(Path(path).is_relative_to(one) for one in folders)


def test_a_program_in_the_home_s_bin_does_not_show_the_home(home, monkeypatch):
    python = home / "bin" / f"python{MINOR}"
    shutil.copy(os.path.realpath(sys.executable), python)
    monkeypatch.setenv("PATH", str(python.parent))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(home / "none"))
    monkeypatch.setenv("PYENV_ROOT", str(home / "none"))
    (found,) = [one for one in Interpreters(Uv(index_settings())).all() if one.path == str(python)]
    assert shown(found.bases, python)
    assert shown(found.bases, os.__file__)
    assert not shown(found.bases, home / ".ssh")


@pytest.mark.parametrize("base", ["", ".local", ".."])
def test_of_a_python_that_was_installed_to_the_home_its_libraries_are_shown(home, base):
    folder = home / base
    (folder / f"lib/python{MINOR}").mkdir(parents=True, exist_ok=True)
    program = str(home / "bin" / "python")
    found = library_folders_of([str(folder)], program, MINOR)
    assert shown(found, program)
    assert shown(found, folder / f"lib/python{MINOR}/os.py")
    assert not shown(found, home / ".ssh")
    assert not shown(found, home / ".local" / "share")


def test_a_folder_of_its_own_below_the_home_is_shown_whole(home):
    own = str(home / ".pyenv" / "versions" / "3.12.1")
    assert library_folders_of([own, own], f"{own}/bin/python", "3.12") == (own,)
