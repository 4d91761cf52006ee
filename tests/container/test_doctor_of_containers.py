"""`doctor` says whether containers can be run, and what to do where not; `image` builds theirs."""

from __future__ import annotations

import os
import subprocess
import sys

from nebula_lab.doctor.containers import containers
from nebula_lab.doctor.finding import Verdict
from nebula_lab.model import PluginConfig

CHOSEN = {"security": {"sandbox": {"type": "Container", "runtime": "podman"}}}


def runtimes(tmp_path, monkeypatch, **scripts):
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_a_machine_without_a_runtime_is_told_what_to_install(tmp_path, monkeypatch):
    runtimes(tmp_path, monkeypatch)
    (found,) = containers(PluginConfig())
    assert found.verdict is Verdict.NOTE
    assert "apt-get install podman runc" in found.cure


def test_a_runtime_that_is_wanted_and_missing_is_a_gap(tmp_path, monkeypatch):
    runtimes(tmp_path, monkeypatch)
    (found,) = containers(PluginConfig.model_validate(CHOSEN))
    assert found.verdict is Verdict.GAP
    assert "there is no program podman" in found.detail


def test_a_runtime_that_is_stopped_and_not_wanted_is_a_note(tmp_path, monkeypatch):
    words = "Cannot connect to the Docker daemon at unix:///x."
    runtimes(tmp_path, monkeypatch, docker=f"echo '{words}' >&2; exit 1")
    (found,) = containers(PluginConfig())
    assert found.verdict is Verdict.NOTE
    assert "its service does not run" in found.detail


def test_a_runtime_that_copies_images_is_told_of_a_quicker_way(tmp_path, monkeypatch):
    runtimes(tmp_path, monkeypatch, podman='[ "$1" = info ] && echo vfs; exit 0')
    (found,) = containers(PluginConfig.model_validate(CHOSEN))
    assert found.verdict is Verdict.NOTE
    assert "copies the whole image" in found.detail
    assert "overlay" in found.cure


def test_a_runtime_that_works_is_fine(podman):
    found = containers(PluginConfig.model_validate(CHOSEN))
    assert found[0].verdict is Verdict.FINE
    assert "podman" in found[0].detail


def test_the_command_line_names_the_image(podman):
    program = "import sys; from nebula_lab.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "image", "build"]
    built = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    (name,) = built.stdout.split()
    found = subprocess.run(["podman", "images", "-q", name], capture_output=True, check=True)
    assert found.stdout.strip()
