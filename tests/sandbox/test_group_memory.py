"""What becomes of a host whose processes use too much memory together, with folders like groups.

Only version 2 limits memory. The host, its end and its errors are real; what the kernel would write
into the files of its group, the test writes.
"""

from __future__ import annotations

import pytest
from group_tree import GroupFolder

from nebula_lab.confine.cgroup_places import CONTROLLERS, Place
from nebula_lab.confine.machine import Machine, Mechanism
from nebula_lab.errors import ExecutionFailedError, LimitExceededError, PluginCrashedError
from nebula_lab.sandbox import groups, probing

MIB = 1 << 20
KILLED = "low 0\nhigh 0\nmax 9\noom 1\noom_kill {}\noom_group_kill 0\n"


@pytest.fixture
def top(tmp_path, monkeypatch):
    """Where managers make groups, of version 2 by their looks."""
    folder = GroupFolder(tmp_path / "groups")
    folder.mkdir()
    found = probing._probe()
    have = {name: getattr(found, name) for name in found.__struct_fields__}
    have |= {"cgroups": Mechanism(True), "cgroup_memory": Mechanism(True)}
    monkeypatch.setattr(probing, "_probe", lambda: Machine(**have))
    place = Place(2, dict.fromkeys(CONTROLLERS, folder), "cgroup.procs")
    monkeypatch.setattr(groups, "find", lambda: place)
    return folder


@pytest.fixture
def group_of(top):
    """The group of the only host."""

    def only():
        (found,) = top.glob("nebula-*")
        return found

    return only


def _run(manager, code):
    return manager.execute("it", "run", {"code": code})


def test_all_processes_of_a_host_may_have_twice_what_one_may_have(limited, group_of):
    manager = limited(["ProcessSpawn", "MemoryAllocation"], max_memory="400 MiB", max_scratch=MIB)
    _run(manager, "found = 1")
    # With what it had when its plugin came, its folders, and pages that it had from the zygote.
    expected = 50 * MIB + 2 * 400 * MIB + 2 * MIB + 64 * MIB
    assert (group_of() / "memory.max").read_text() == f"{expected}"
    (measure,) = [one for one in manager.policy("it").measures if one.name == "memory"]
    assert "a control group" in measure.by


def test_one_process_alone_is_held_by_an_rlimit_which_it_can_handle(limited, group_of):
    manager = limited(max_cpu_percent=50)
    code = "try: bytearray(10 << 30)\nexcept MemoryError: found = 'told'"
    assert _run(manager, code) == "told"
    assert (group_of() / "memory.max").read_text() == "max\n"
    assert (group_of() / "cpu.max").read_text() == "50000 100000"


def test_a_host_that_the_kernel_killed_for_its_memory_has_run_into_its_limit(limited, group_of):
    manager = limited(["ProcessSpawn", "MemoryAllocation"], max_memory="400 MiB")
    _run(manager, "found = 1")
    (group_of() / "memory.events").write_text(KILLED.format(1))
    code = "print('last words', file=sys.__stderr__, flush=True); os.kill(os.getpid(), 9)"
    with pytest.raises(LimitExceededError, match="for the memory of its group") as exceeded:
        _run(manager, code)
    error = exceeded.value
    assert (error.limit, error.value, error.operation) == ("max_memory", "400 MiB", "run")
    assert "max_memory" in error.hint
    assert "last words" in error.remote_traceback
    assert _run(manager, "found = 'another'") == "another"


def test_one_that_something_else_killed_has_crashed(limited, group_of):
    manager = limited(["ProcessSpawn"])
    _run(manager, "found = 1")
    with pytest.raises(PluginCrashedError, match="killed by SIGKILL"):
        _run(manager, "os.kill(os.getpid(), 9)")


def test_a_call_that_fails_over_a_process_killed_for_memory_says_so_once(limited, group_of):
    manager = limited(["ProcessSpawn"])
    _run(manager, "found = 1")
    (group_of() / "memory.events").write_text(KILLED.format(2))
    killed = "raise subprocess.CalledProcessError(-9, 'sort')"
    with pytest.raises(LimitExceededError, match="max_memory"):
        _run(manager, killed)
    with pytest.raises(ExecutionFailedError) as failed:
        _run(manager, killed)
    assert not isinstance(failed.value, LimitExceededError)


def test_groups_go_with_their_hosts(limited, top, wait_until):
    manager = limited(["ProcessSpawn"])
    _run(manager, "found = 1")
    first = set(top.glob("nebula-*"))
    with pytest.raises(PluginCrashedError):
        _run(manager, "os._exit(3)")
    wait_until(lambda: not first & set(top.glob("nebula-*")), "the end of the group")
    manager.close()
    assert not set(top.glob("nebula-*"))
