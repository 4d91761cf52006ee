"""A host does not outlive its owner, whatever either of them is doing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

OWNER = """
import sys, threading, warnings
warnings.simplefilter("ignore")
from nebula_lab import PluginManager
security = {"capabilities": ["FileSystem", "ProcessSpawn"]}
manager = PluginManager({"plugin_dir": sys.argv[1], "security": security})
manager.load_plugin("held")
(host,) = manager._engine.catalogue.record("held").slots.hosts
call = threading.Thread(target=manager.execute, args=("held", sys.argv[2]), kwargs={"timeout": 99})
call.start()
print(host.pid, manager.connection_file("held"), flush=True)
call.join()
"""
HELD = """
import ctypes, os, signal, subprocess, sys, time
class Held(Plugin):
    @operation
    def hold_the_gil(self):
        open(os.environ["HELD_MARKER"], "w").close()
        ctypes.PyDLL(None).sleep(60)
    @operation
    def wait(self):
        open(os.environ["HELD_MARKER"], "w").close()
        time.sleep(60)
    @operation
    def ignore_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self.wait()
    @operation
    def leave_a_child(self):
        subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"],
                         start_new_session=True)
        self.wait()
def plugin_entry(): return Held()
"""


def is_alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


DOING = ["hold_the_gil", "wait", "ignore_signals", "leave_a_child"]
# Without the right to start processes a host is alone, with it there are two around it.
ALONE = ["FileSystem"]
WARDED = ["FileSystem", "ProcessSpawn"]


@pytest.mark.parametrize(
    ("doing", "capabilities"),
    [*((doing, WARDED) for doing in DOING), *((doing, ALONE) for doing in DOING[:-1])],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_a_host_dies_with_an_owner_that_was_killed_and_its_files_are_removed(
    plugin_file, tmp_path, wait_until, doing, capabilities
):
    rights = {"capabilities": capabilities, "allowed_variables": ["HELD_MARKER"]}
    folder = plugin_file("held", HELD, security=rights).parent
    marker = tmp_path / "marker"
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder), doing],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"HELD_MARKER": str(marker)},
    )
    with owner:
        pid, connection_file = owner.stdout.readline().split()
        wait_until(marker.exists, "the operation's start")
        family = {child.pid for child in psutil.Process(owner.pid).children(recursive=True)}
        assert int(pid) in family
        owner.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, family)), "the end of all that it started")
    wait_until(lambda: not Path(connection_file).parents[1].exists(), "the end of its files")
