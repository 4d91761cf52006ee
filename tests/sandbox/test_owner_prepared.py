"""What has prepared for its owner's being killed ends with it all the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from nebula_lab.agent.marking import MARK

# No control groups, which would do it all; `lacks` is what else the machine has not.
OWNER = """
import json, os, signal, sys, time, warnings
warnings.simplefilter("ignore")
from msgspec.structs import replace
from nebula_lab import PluginManager
from nebula_lab.sandbox import probing
folder, start, lacks, capability = sys.argv[1:]
found = probing._probe()
lacking = {name: replace(getattr(found, name), works=False) for name in lacks.split()}
probing._probe = lambda: replace(found, **lacking)
plugins = PluginManager({
    "plugin_dir": folder,
    "security": {"capabilities": ["MemoryAllocation", capability]},
    "zygote": {"enabled": start != "anew", "spares": 0, "preload": []},
})
seen = plugins.execute("one", "prepare", {}, timeout=60)
launcher = plugins._engine.sandboxes.usual.launcher
if start == "zygote gone":
    zygote = launcher._zygotes[-1]
    os.kill(zygote.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while not zygote.ended and time.monotonic() < deadline:
        time.sleep(0.01)
(host,) = plugins._engine.catalogue.record("one").slots.hosts
print(json.dumps({"host": host.pid, "zygote": launcher.zygote_pid}), flush=True)
plugins.execute("one", "wait", {}, timeout=600)
"""
PREPARED = """
import ctypes, os, sys, time
def forget():
    start, end = map(int, open("/proc/self/stat").read().rpartition(")")[2].split()[47:49])
    ctypes.memset(start, 0, end - start)
class One(Plugin):
    @operation
    def prepare(self):
        os.killpg = os.kill = os._exit = sys.exit = lambda *_: time.sleep(600)
        forget()
    @operation
    def wait(self): time.sleep(600)
def plugin_entry(): return One()
"""
# In a session of its own, without a variable, and no descendant of anything that ends.
DAEMON = """
import os, sys, time
TOKEN = "nebula-test-daemon-" + {token!r}
class One(Plugin):
    @operation
    def prepare(self):
        seen, said = os.pipe()
        child = os.fork()
        if child == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
            os.write(said, b".")
            os.closerange(0, 256)
            sleep = "import signal, time; signal.pthread_sigmask(0, range(1, 65)); time.sleep(600)"
            os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", sleep, TOKEN], {{}})
        os.waitpid(child, 0)
        os.read(seen, 1)
    @operation
    def wait(self): time.sleep(600)
def plugin_entry(): return One()
"""
STARTS = ["forked", "zygote gone", "anew"]
# What the machine lacks, by what a host that may start others is guarded with then.
NAMESPACE, SUBREAPER = "cgroups", "cgroups pid_namespace"


def is_alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def daemons(token):
    name = f"nebula-test-daemon-{token}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if name in command.split(b"\0"):
                found.append(int(entry.name))
    return found


def owner_of(folder, start, lacks, capability):
    command = [sys.executable, "-c", OWNER, str(folder), start, lacks, capability]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("start", STARTS)
def test_a_host_that_kept_itself_from_watching_and_took_off_its_mark(
    plugin_file, wait_until, start
):
    folder = plugin_file("one", PREPARED).parent
    with owner_of(folder, start, "cgroups", "MemoryAllocation") as owner:
        pids = json.loads(owner.stdout.readline())
        assert (pids["zygote"] is None) == (start != "forked")
        assert MARK.encode() not in Path(f"/proc/{pids['host']}/environ").read_bytes()
        owner.kill()
    wait_until(lambda: not is_alive(pids["host"]), "the end of the host")


@pytest.mark.parametrize(
    ("start", "lacks"),
    [("forked", SUBREAPER), ("zygote gone", SUBREAPER), ("anew", SUBREAPER), ("anew", NAMESPACE)],
)
def test_a_daemon_that_a_host_left_behind(plugin_file, tmp_path, wait_until, start, lacks):
    token = tmp_path.name
    rights = {"capabilities": ["ProcessSpawn"]}
    folder = plugin_file("one", DAEMON.format(token=token), security=rights).parent
    with owner_of(folder, start, lacks, "ProcessSpawn") as owner:
        pids = json.loads(owner.stdout.readline())
        wait_until(lambda: daemons(token), "the daemon")
        owner.kill()
    wait_until(lambda: not daemons(token), "the end of the daemon")
    wait_until(lambda: not is_alive(pids["host"]), "the end of the host")
