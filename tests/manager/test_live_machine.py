"""Disks that fill up or turn read-only, and clocks that are set back."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

SCENES = Path(__file__).with_name("machine_scenes.py")


def _private_mounts() -> list[str] | None:
    """How to start a program that may mount what only it sees; None where nothing allows it."""
    for command in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
        if (
            shutil.which(command[0])
            and not subprocess.run(
                [*command, "mount", "-t", "tmpfs", "tmpfs", tempfile.gettempdir()],
                capture_output=True,
                check=False,
            ).returncode
        ):
            return command
    return None


PRIVATE_MOUNTS = _private_mounts()
MOUNTING = ("full_store", "read_only_store", "full_run_folder")


def play(scene: str, *command: str) -> None:
    # The path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="d") as folder:
        played = subprocess.run(
            [*command, sys.executable, SCENES, scene, folder],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert played.stdout == "played to its end\n", played.stdout + played.stderr


def test_a_file_that_can_not_be_kept_whole_is_no_new_version():
    play("small_files_only")


# A system that lets nobody mount anything has no small disks to try.
@pytest.mark.parametrize("scene", MOUNTING if PRIVATE_MOUNTS else ())
def test_on_a_disk_of_a_megabyte(scene):
    play(scene, *PRIVATE_MOUNTS)


def test_with_a_clock_that_is_set_back():
    play("clock_set_back")
