"""Of a folder that is imported from, what could be imported is shown, and nothing beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nebula_lab.environments.import_folders import (
    ImportFolders,
    import_folder,
    libraries_in,
    without,
)

PROJECT = (
    ".env",
    ".git/config",
    "key.pem",
    "mod.py",
    "pack/__init__.py",
    "pack/data/table.csv",
    "pack-1.0.dist-info/METADATA",
    "notes/key.pem",
    "names/inner/__init__.py",
    "names/plain.py",
    "names/key.pem",
    "not-a-name/mod.py",
)
SHOWN = {"mod.py", "pack", "pack-1.0.dist-info", "names/inner", "names/plain.py"}


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    make(root, *PROJECT)
    return root


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def shown(root, hidden=()):
    found = import_folder(str(root), hidden)
    return {os.path.relpath(one, root) for one in found.shown}


def test_modules_packages_and_what_is_known_of_them_are_shown(project):
    assert shown(project) == SHOWN


def test_a_folder_with_nothing_else_in_it_is_shown_whole(project):
    make(project / "src", "a.py", "b/__init__.py", "c/d.py", "c/d.pyi")
    assert import_folder(str(project / "src"), ()).is_whole
    make(project / "src", "c/key.pem")
    assert shown(project / "src") == {"a.py", "b", "c/d.py"}


def test_nothing_of_a_hidden_folder_is_shown(project):
    assert shown(project, {str(project / "pack")}) == SHOWN - {"pack"}
    assert shown(project, {str(project)}) == set()


def test_of_a_home_only_modules_and_packages_right_in_it_are_shown(project, monkeypatch):
    monkeypatch.setenv("HOME", str(project))
    assert shown(project) == {one for one in SHOWN if "/" not in one}
    assert import_folder(str(project), ()).listed == ()


def test_nothing_of_the_root_is_shown():
    assert import_folder("/", ()).shown == ()


def test_a_link_does_not_make_a_module_of_what_is_none(project):
    (project / "stolen.py").symlink_to("key.pem")
    (project / "other.py").symlink_to("mod.py")
    assert shown(project) == SHOWN | {"other.py"}


def test_an_archive_is_shown_and_what_is_not_there_is_not(tmp_path):
    make(tmp_path, "a.zip", "a.txt")
    assert import_folder(f"{tmp_path}/a.zip", ()).is_whole
    assert import_folder(f"{tmp_path}/a.txt", ()).shown == ()
    assert import_folder(f"{tmp_path}/gone", ()).shown == ()


def test_what_was_added_since_is_found(project):
    folders = ImportFolders(())
    first = folders.look(str(project))
    assert folders.look(str(project)) is first
    make(project, "names/late.py")
    os.utime(project / "names", ns=(1, 1))  # clocks of file systems are coarse
    assert f"{project}/names/late.py" in folders.look(str(project)).shown


def test_of_a_folder_of_libraries_only_these_are_shown(tmp_path):
    make(tmp_path, "liba.so", "libb.so.1.2", "key.pem", "notes.sox")
    found = {Path(one).name for one in libraries_in(str(tmp_path))}
    assert found == {"liba.so", "libb.so.1.2"}


def test_without_what_is_hidden_the_rest_of_a_folder_is_left(project):
    found = set(without([str(project)], [str(project / "names" / "key.pem")]))
    assert f"{project}/pack" in found
    assert f"{project}/names/plain.py" in found
    assert not found & {str(project), f"{project}/names", f"{project}/names/key.pem"}
