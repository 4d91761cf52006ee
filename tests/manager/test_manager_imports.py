"""Plugins import what the user's Python imports, and see nothing beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import nebula_lab
from nebula_lab.confine.machine import Machine, Mechanism
from nebula_lab.sandbox import probing

LOOK = """@operation
def look(self, path: str) -> str:
    try:
        return open(path).read()
    except OSError as error:
        return type(error).__name__

@operation
def find(self, module: str) -> str:
    import importlib
    return importlib.import_module(module).__file__

@operation
def packages(self) -> list:
    import importlib.metadata
    return [one.name for one in importlib.metadata.distributions(path=sys.path)]
"""
OURS = str(Path(nebula_lab.__file__).parents[1])
REFUSALS = ("FileNotFoundError", "PermissionError")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project on PYTHONPATH, with a secret."""
    root = tmp_path / "project"
    for name, text in (
        ("lib_of_project/__init__.py", ""),
        ("lib_of_project/inner.py", ""),
        ("spread/part.py", ""),
        ("spread/key.pem", "SECRET"),
        ("lone.py", ""),
        (".env", "SECRET"),
        ("key.pem", "SECRET"),
        ("lib-3.dist-info/METADATA", "Metadata-Version: 2.1\nName: lib\nVersion: 3\n"),
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(root), OURS]))
    return root


@pytest.fixture(params=["a tree", "Landlock alone"])
def machine(request, monkeypatch):
    if request.param == "Landlock alone":
        found = probing._probe()
        gone = ("namespaces", "pid_namespace", "counts_threads")
        lacking = {name: Mechanism(False, "", "get it") for name in gone}
        there = {name: getattr(found, name) for name in found.__struct_fields__}
        monkeypatch.setattr(probing, "_probe", lambda: Machine(**there | lacking))


def test_what_a_project_on_the_path_has_is_imported_and_its_secrets_are_not_seen(
    folder, project, machine
):
    folder.plugin("it", LOOK, security={})
    with folder.manager() as plugins:

        def find(module):
            return plugins.execute("it", "find", {"module": module})

        assert find("lib_of_project.inner") == f"{project}/lib_of_project/inner.py"
        assert find("spread.part") == f"{project}/spread/part.py"
        assert find("lone") == f"{project}/lone.py"
        assert "lib" in plugins.execute("it", "packages")
        for name in (".env", "key.pem", "spread/key.pem"):
            seen = plugins.execute("it", "look", {"path": str(project / name)})
            assert seen in REFUSALS, name


def test_an_editable_install_of_ours_shows_the_package_alone(folder, machine):
    folder.plugin("it", LOOK, security={})
    beside = Path(OURS) / "pyproject.toml"
    with folder.manager() as plugins:
        found = plugins.execute("it", "find", {"module": "nebula_lab.plugin.health"})
        assert found == f"{OURS}/nebula_lab/plugin/health.py"
        assert plugins.execute("it", "look", {"path": str(beside)}) in REFUSALS


def test_plugins_in_a_folder_that_is_imported_from_are_not_seen(
    folder, machine, monkeypatch, tmp_path
):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), OURS]))
    folder.plugin("it", LOOK, security={})
    other = folder.plugin("other", "")
    with folder.manager() as plugins:
        assert plugins.execute("it", "look", {"path": str(other)}) in REFUSALS


def test_the_policy_names_the_folders_that_are_imported_from(folder, project):
    folder.plugin("it", LOOK, security={})
    with folder.manager() as plugins:
        (files,) = [one for one in plugins.policy("it").measures if one.name == "files"]
    assert "what can be imported from" in files.granted
    assert str(project) in files.granted
