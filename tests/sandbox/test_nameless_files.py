"""What counts as a file without a name, of what processes have and run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from nebula_lab.sandbox.nameless_files import NamelessFiles

ENDED = """
import os, signal, sys
from nebula_lab.sandbox.nameless_files import NamelessFiles
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
looks, ended = NamelessFiles("/tmp"), []
for _ in range(4):
    ended.append(os.fork() or os._exit(0))
    os.waitid(os.P_PID, ended[-1], os.WEXITED | os.WNOWAIT)
    print(sum(looks.sizes(ended, set())))
"""


def test_processes_that_have_ended_keep_nothing_out_of_sight():
    done = subprocess.run([sys.executable, "-c", ENDED], capture_output=True, text=True)
    assert done.stdout.split() == ["0.0"] * 4, done.stderr


def _nameless_program_in(folder, home):
    """What is counted of a folder for a process whose program was removed from another."""
    here = os.open(folder, os.O_RDONLY)
    program = os.open("p", os.O_CREAT | os.O_WRONLY, 0o700, dir_fd=here)
    os.write(program, Path(shutil.which("sleep")).read_bytes())
    os.close(program)
    with subprocess.Popen(["./p", "600"], preexec_fn=lambda: os.fchdir(here)) as running:
        try:
            os.unlink("p", dir_fd=here)
            os.close(here)
            return sum(NamelessFiles(str(home)).sizes([running.pid], set()))
        finally:
            running.kill()


def test_a_program_that_was_replaced_elsewhere_is_not_the_folders(tmp_path):
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    assert _nameless_program_in(elsewhere, home) == 0
    assert _nameless_program_in(home, home) > 0


def test_a_program_counts_whose_path_is_too_long_to_be_told(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    for _ in range(20):
        Path("x" * 250).mkdir()
        os.chdir("x" * 250)
    assert _nameless_program_in(".", home) > 0
