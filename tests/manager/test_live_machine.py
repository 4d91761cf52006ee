"""Disks that fill up or turn read-only, and clocks that are set back."""

from __future__ import annotations

import json
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
USUAL = ("small_files_only", "clock_set_back")
# A system that lets nobody mount anything has no small disks to try.
MOUNTING = ("full_store", "read_only_store", "full_run_folder") if PRIVATE_MOUNTS else ()


@pytest.fixture(scope="module")
def went_wrong() -> dict[str, str]:
    """What did in each scene. They share a process, since to start one takes longer than that."""
    # The path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="d") as folder:
        played = subprocess.run(
            [*(PRIVATE_MOUNTS or ()), sys.executable, SCENES, folder, *USUAL, *MOUNTING],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    lines = [json.loads(line) for line in played.stdout.splitlines()]
    assert [name for name, _ in lines] == [*USUAL, *MOUNTING], played.stderr
    return dict(lines)


def test_a_file_that_can_not_be_kept_whole_is_no_new_version(went_wrong):
    assert went_wrong["small_files_only"] == ""


@pytest.mark.parametrize("scene", MOUNTING)
def test_on_a_disk_of_a_megabyte(went_wrong, scene):
    assert went_wrong[scene] == ""


def test_with_a_clock_that_is_set_back(went_wrong):
    assert went_wrong["clock_set_back"] == ""
