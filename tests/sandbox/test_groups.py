"""What control groups hold hosts to, where this user may make some; and where not, who does."""

from __future__ import annotations

import ast
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nebula_lab.confine import cgroups, mounts, namespaces
from nebula_lab.confine.cgroup_division import divide
from nebula_lab.confine.cgroup_places import (
    CONTROLLERS,
    Place,
    file_systems,
    find,
    is_root,
    own_groups,
    unified_folder,
)
from nebula_lab.confine.cgroup_places import mounts as group_mounts
from nebula_lab.errors import LimitExceededError, LoadFailedError, PluginCrashedError
from nebula_lab.model.enforcement import Enforcement
from nebula_lab.sandbox.probing import Prober

HERE = Prober().machine()
needs_groups = pytest.mark.skipif(
    not HERE.cgroups.works, reason=f"no control groups: {HERE.cgroups.detail}"
)
SLEEPING = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]


def _groups():
    """The groups of hosts that there are."""
    # Not by glob, which fails where a group of somebody else's goes while it looks.
    seen = (
        Path(top, one)
        for mount in group_mounts()
        for top, below, _ in os.walk(mount.point)
        for one in below
    )
    return {one for one in seen if one.name.startswith("nebula-") and one.name != "nebula-lab"}


def _groups_of(text):
    """The groups of the host that says this of itself in /proc/self/cgroup."""
    names = {line.rpartition("/")[2] for line in text.splitlines() if "/nebula-" in line}
    assert names, text
    return {one for one in _groups() if one.name in names}


def _run(manager, code, **settings):
    return manager.execute("it", "run", {"code": code}, **settings)


def _how(manager, name):
    return next(one for one in manager.policy("it").measures if one.name == name)


# What there is


def test_the_probe_says_whether_there_are_groups_and_else_why_not():
    """One of the two is the case on every machine, so neither is passed over."""
    if HERE.cgroups.works:
        assert HERE.cgroups.detail == f"version {find().version}"
        assert HERE.cgroup_memory.works is (find().version == 2)
        return
    assert HERE.cgroups.detail
    assert "Delegate=yes" in HERE.cgroups.cure
    with pytest.raises(OSError, match="control group"):
        find()


def test_where_there_are_none_sampling_stands_in_and_nothing_is_a_gap(limited, poorer):
    poorer("cgroups", "cgroup_memory", "counts_threads")
    manager = limited(max_cpu_percent=50)
    assert "/nebula-" not in _run(manager, "found = Path('/proc/self/cgroup').read_text()")
    assert {_how(manager, name).how for name in ("threads", "processor")} == {Enforcement.SAMPLING}
    assert manager.policy("it").gaps == ()


def test_where_they_are_read_only_as_in_many_containers_there_are_none():
    child = os.fork()
    if child == 0:
        status = 2
        try:
            namespaces.enter(namespaces.MOUNT)
            mounts.keep_private()
            for folder in file_systems():
                mounts.Piece(folder, writable=False).put(folder)
            find()
            status = 1
        except OSError as error:
            status = 0 if "no control group" in str(error) else 3
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# One group


@pytest.fixture
def group():
    made = cgroups.Group(find(), f"nebula-test-{os.getpid()}")
    yield made
    made.close_entrances()
    assert made.remove(patience=5.0)
    assert made.remove()


def _start_in(group):
    return subprocess.Popen(
        SLEEPING, preexec_fn=lambda: [os.write(entrance, b"0") for entrance in group.entrances]
    )


@needs_groups
def test_whoever_is_in_a_group_is_counted_and_killed_with_it(group):
    process = _start_in(group)
    assert group.threads() == 1
    group.kill()
    assert process.wait(5) == -signal.SIGKILL


@needs_groups
def test_of_two_groups_of_one_name_the_first_stays(group):
    with pytest.raises(FileExistsError):
        cgroups.Group(find(), f"nebula-test-{os.getpid()}")
    assert any(path.name == f"nebula-test-{os.getpid()}" for path in _groups())


def _unified():
    """A group of version 2 that this user may make others in, if there is any such."""
    try:
        folder = unified_folder(list(group_mounts()), own_groups())
        probe = folder / f"nebula-probe-{os.getpid()}"
        probe.mkdir()
        probe.rmdir()
    except (OSError, TypeError):
        return None
    return folder


def test_a_group_of_version_2_is_entered_killed_and_removed_alike():
    """Without controllers, which a machine that has both versions has in the first."""
    folder = _unified()
    if folder is None:
        assert not HERE.cgroup_memory.works
        return
    place = Place(2, dict.fromkeys(CONTROLLERS, folder), "cgroup.procs")
    made = cgroups.Group(place, f"nebula-test-{os.getpid()}-2")
    process = _start_in(made)
    made.close_entrances()
    made.kill()
    assert process.wait(5) == -signal.SIGKILL
    assert made.remove(patience=5.0)


DIVIDE = """
import os, sys
from pathlib import Path
from nebula_lab.confine.cgroup_division import divide
Path(sys.argv[1], "cgroup.procs").write_text("0")
divide(controllers=tuple(filter(None, sys.argv[2:])))
print(Path("/proc/self/cgroup").read_text())
"""


@contextlib.contextmanager
def _handing_on(folder):
    """Whichever controller there is; handed on by the system's first group, as systemd does."""
    control = folder / "cgroup.subtree_control"
    handed_on = control.read_text().split()
    there = (folder / "cgroup.controllers").read_text().split()
    if handed_on or not there or not is_root(folder):
        yield next(iter(handed_on), "")
        return
    control.write_text(f"+{there[0]}")
    yield there[0]
    control.write_text(f"-{there[0]}")


def test_the_kernel_lets_a_delegated_group_be_divided():
    """One with a process in it, and with whatever controller of version 2 there is."""
    folder = _unified()
    if folder is None:
        assert not HERE.cgroup_memory.works
        with pytest.raises(OSError, match="control group"):
            divide()
        return
    scope = folder / f"nebula-test-{os.getpid()}-scope"
    with _handing_on(folder) as controller:
        scope.mkdir()
        try:
            os.setxattr(scope, "user.delegate", b"1")
            command = [sys.executable, "-c", DIVIDE, str(scope), controller]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert f"{scope.name}/nebula-lab\n" in done.stdout, done.stderr
            handed_on = (scope / "cgroup.subtree_control").read_text().split()
            assert handed_on == [controller] * bool(controller)
        finally:
            for one in (scope / "nebula-lab", scope):
                if one.exists():
                    one.rmdir()


# Hosts


@needs_groups
@pytest.mark.parametrize("percent", [25, 50])
def test_a_host_has_its_share_of_the_processor_together_with_what_it_started(limited, percent):
    manager = limited(["ProcessSpawn", "MemoryAllocation"], max_cpu_percent=percent)
    assert _how(manager, "processor").by == "a control group"
    code = (
        "code = 'import time; end = time.monotonic() + 2\\nwhile time.monotonic() < end: pass'\n"
        "began = time.monotonic()\n"
        "many = [subprocess.Popen([sys.executable, '-c', code]) for _ in range(2)]\n"
        "work(2)\n"
        "for one in many: one.wait()\n"
        "times = os.times()\n"
        "found = 100 * sum(times[:4]) / (time.monotonic() - began)\n"
    )
    before = _run(manager, "found = sum(os.times()[:4])")
    share = _run(manager, code.replace("sum(times[:4])", f"(sum(times[:4]) - {before})"))
    assert share < 1.2 * percent + 2


@needs_groups
def test_a_host_with_too_many_processes_is_told_so_and_lives(limited):
    manager = limited(["ProcessSpawn"], max_threads=30)
    pid = _run(manager, "found = os.getpid()")
    with pytest.raises(LimitExceededError) as exceeded:
        _run(manager, "self.kept = [subprocess.Popen(['sleep', '60']) for _ in range(60)]")
    error = exceeded.value
    assert (error.limit, error.value, error.operation) == ("max_threads", "30", "run")
    assert "Start fewer" in error.hint
    assert _run(manager, "found = os.getpid()") == pid


@needs_groups
def test_an_error_of_the_plugin_s_own_is_not_taken_for_a_limit(limited):
    manager = limited(["ProcessSpawn"], max_threads=30)
    code = (
        "try:\n    [subprocess.Popen(['true']) for _ in range(60)]\nexcept OSError: pass\n"
        "raise ValueError('its own')"
    )
    with pytest.raises(Exception, match="its own") as failed:
        _run(manager, code)
    assert not isinstance(failed.value, LimitExceededError)


@needs_groups
def test_a_host_may_have_as_many_as_it_is_allowed(limited):
    manager = limited(["ProcessSpawn"], max_threads=20)
    code = (
        "many = [subprocess.Popen(['sleep', '60']) for _ in range(18)]\n"
        "for one in many: one.kill(); one.wait()\nfound = len(many)"
    )
    assert _run(manager, code) == 18


@needs_groups
def test_a_spare_is_held_to_the_limits_of_the_plugin_that_it_gets(limited, wait_until):
    manager = limited(["ProcessSpawn"], max_threads=25)
    pool = manager._engine.sandboxes.usual.spares
    pool.size = 1
    _run(manager, "found = 1")
    wait_until(lambda: len(pool) == 1, "a spare")
    manager.unload_plugin("it")
    spare = pool._spares[0].host
    with pytest.raises(LimitExceededError):
        _run(manager, "self.kept = [subprocess.Popen(['sleep', '60']) for _ in range(60)]")
    assert spare.policy is not None  # it was taken


@needs_groups
def test_a_host_that_is_started_anew_is_in_a_group_too(limited, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "1")  # Python reads it when it starts
    manager = limited(["ProcessSpawn"], max_threads=30)
    assert "/nebula-" in _run(manager, "found = Path('/proc/self/cgroup').read_text()")


LEAVE = (
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork(): os._exit(0)\n"
    "    os.execve(sys.executable, [sys.executable, '-S', '-c', 'while True: pass'], {})\n"
    "os.wait(); found = Path('/proc/self/cgroup').read_text()"
)


@needs_groups
def test_what_a_plugin_leaves_behind_ends_with_its_host_and_so_does_the_group(
    limited, poorer, wait_until
):
    poorer("pid_namespace", "namespaces")
    manager = limited(["ProcessSpawn"], max_cpu_percent=50)
    mine = _groups_of(_run(manager, LEAVE))
    assert mine
    with pytest.raises(PluginCrashedError):
        _run(manager, "os.kill(os.getpid(), 9)")
    wait_until(lambda: not (_groups() & mine), "the end of the groups")


@needs_groups
def test_no_groups_are_left_when_a_manager_is_closed(limited):
    manager = limited(["ProcessSpawn"], max_threads=30)
    mine = _groups_of(_run(manager, LEAVE))
    assert mine
    manager.close()
    assert not _groups() & mine


KILLED = """
import sys, time
from nebula_lab import PluginManager
security = {"capabilities": ["ProcessSpawn"], "resource_limits": {"max_cpu_percent": 10}}
manager = PluginManager({"plugin_dir": sys.argv[1], "security": security})
print(repr(manager.execute("it", "run", {"code": sys.argv[2]})), flush=True)
time.sleep(60)
"""


@needs_groups
def test_no_groups_are_left_when_a_manager_is_killed(limited, wait_until, tmp_path):
    limited(["ProcessSpawn"])
    folder = next(tmp_path.rglob("it.py")).parent
    command = [sys.executable, "-c", KILLED, str(folder), LEAVE]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        mine = _groups_of(ast.literal_eval(process.stdout.readline().decode()))
        assert mine
        process.kill()
    wait_until(lambda: not _groups() & mine, "the end of the groups")


ESCAPES = """
import ctypes
libc = ctypes.CDLL(None)
found = []
tops = [line.split()[4] for line in open("/proc/self/mountinfo") if " cgroup" in line]
for top in tops or ["/sys/fs/cgroup"]:
    for path in (top, *Path(top).glob("**/nebula-*")):
        for name in ("tasks", "cgroup.procs", "pids.max", "cpu.cfs_quota_us", "cpu.max"):
            try:
                (Path(path) / name).write_text("0")
                found.append(str(Path(path) / name))
            except OSError:
                pass
for number in os.listdir("/proc/self/fd"):
    link = f"/proc/self/fd/{number}"
    name = os.readlink(link) if os.path.lexists(link) else ""
    if "cgroup" in name or "tasks" in name:
        found.append(name)
if libc.mount(b"none", b"/tmp", b"cgroup", 0, b"pids") == 0 or libc.unshare(0x02000000) == 0:
    found.append("mounted")
"""
WIDE = [
    (["ProcessSpawn"], []),
    (["ProcessSpawn", "SystemCalls"], []),
]
TOPS = ["/sys", *file_systems(), *(mount.point for mount in group_mounts())]


@needs_groups
@pytest.mark.parametrize(("asked", "paths"), WIDE)
@pytest.mark.parametrize("missing", [(), ("namespaces", "pid_namespace")], ids=["", "poor"])
def test_a_plugin_can_not_leave_its_group(limited, poorer, asked, paths, missing):
    poorer(*missing)
    manager = limited(asked, paths=paths, max_threads=30)
    inside = _run(manager, "found = Path('/proc/self/cgroup').read_text()")
    assert "/nebula-" in inside
    assert _run(manager, ESCAPES) == []
    assert _run(manager, "found = Path('/proc/self/cgroup').read_text()") == inside


@needs_groups
@pytest.mark.parametrize("top", sorted({str(top) for top in TOPS}))
def test_nobody_is_given_the_files_of_groups_to_write(limited, top):
    manager = limited(["ProcessSpawn", "FileSystem"], paths=[f"{top}:rw"], max_threads=30)
    with pytest.raises(LoadFailedError, match="which is the kernel's"):
        _run(manager, "found = 1")


@needs_groups
def test_a_plugin_that_sees_all_files_can_not_leave_its_group(limited):
    manager = limited(["ProcessSpawn", "FileSystem"], max_threads=30)
    assert _run(manager, ESCAPES) == []
