"""A notebook's kernel that is interrupted, and one that is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).with_name("drive_kernel.py")
NAPPER = """
import time

class Napper(Plugin):
    def initialize(self, config):
        self.count = 0

    @operation
    def nap(self, seconds: float):
        try:
            print("the plugin naps")  # whereupon it is interrupted, maybe before it does
            time.sleep(seconds)
        except KeyboardInterrupt:
            self.count += 1
            raise

    @operation
    def woken(self) -> int:
        return self.count

def plugin_entry():
    return Napper()
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "plugins").mkdir()
    source = 'PLUGIN_METADATA = {"id": "napper", "version": "1.0.0"}\n'
    source += f"from nebula_lab.plugin import Plugin, operation\n{NAPPER}"
    (folder / "plugins" / "napper.py").write_text(source)
    done = subprocess.run(
        [sys.executable, str(DRIVER), str(folder)], capture_output=True, text=True, timeout=110
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_interrupting_a_cell_interrupts_the_plugin(seen):
    assert seen["interrupted"] == "KeyboardInterrupt"
    assert seen["after"] < 30


def test_the_interrupted_plugin_goes_on_in_the_same_process(seen):
    woken, restarts = seen["afterwards"].split()
    assert (woken, restarts) == ("1", "0")


def test_a_kernel_killed_by_sigkill_leaves_no_process_behind(seen):
    assert seen["had"] >= 2  # the plugin's kernel and the sweeper
    assert seen["left"] == []
