"""Control groups, with folders like theirs; with real ones see tests/sandbox/test_groups.py."""

from __future__ import annotations

import os

import pytest
from group_tree import GroupFolder, machine_with

from nebula_lab.confine.cgroup_division import divide
from nebula_lab.confine.cgroup_places import CONTROLLERS, Place, file_systems, find
from nebula_lab.confine.cgroups import Group, join

SCOPE = "/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope"


def folder_of(tmp_path, group):
    return tmp_path / "groups" / group.lstrip("/")


def place_in(folder):
    return Place(2, dict.fromkeys(CONTROLLERS, GroupFolder(folder)), "cgroup.procs")


@pytest.fixture
def group(tmp_path):
    made = Group(place_in(tmp_path), "g")
    yield made
    made.close_entrances()
    assert made.remove()
    assert not (tmp_path / "g").exists()


# Where


def test_a_group_that_is_not_delegated_is_left_alone(tmp_path):
    proc = machine_with(tmp_path, SCOPE)
    (folder_of(tmp_path, SCOPE) / "cgroup.procs").write_text("7\n")
    with pytest.raises(OSError, match=r"run-1\.scope is not delegated"):
        divide(proc)
    assert not (folder_of(tmp_path, SCOPE) / "nebula-lab").exists()


def test_a_delegated_one_has_its_processes_moved_before_it_hands_controllers_on(tmp_path):
    proc = machine_with(tmp_path, SCOPE)
    folder = folder_of(tmp_path, SCOPE)
    os.setxattr(folder, "user.delegate", b"1")
    (folder / "nebula-lab").mkdir()  # where the kernel would make the files of a group
    (folder / "nebula-lab" / "cgroup.procs").write_text("")
    (folder / "cgroup.procs").write_text("7\n")
    divide(proc)
    assert (folder / "nebula-lab" / "cgroup.procs").read_text() == "7"
    assert (folder / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"


def test_groups_are_made_beside_the_one_that_processes_were_moved_to(tmp_path):
    proc = machine_with(tmp_path, f"{SCOPE}/nebula-lab")
    with pytest.raises(OSError, match="no control group that this user may divide"):
        find(proc)
    folder = folder_of(tmp_path, SCOPE)
    (folder / "cgroup.subtree_control").write_text("cpu memory pids\n")
    assert find(proc) == Place(2, dict.fromkeys(CONTROLLERS, folder), "cgroup.procs")


def test_no_group_is_made_above_ones_own_since_limits_of_it_would_not_hold(tmp_path):
    proc = machine_with(tmp_path, SCOPE)
    (folder_of(tmp_path, SCOPE).parent / "cgroup.subtree_control").write_text("cpu memory pids\n")
    with pytest.raises(OSError, match="no control group"):
        find(proc)


def test_all_of_a_container_s_groups_are_its_own(tmp_path):
    proc = machine_with(tmp_path, "/docker/1", root="/docker/1")
    divide(proc)
    handed_on = tmp_path / "groups" / "cgroup.subtree_control"
    assert handed_on.read_text() == "+cpu +memory +pids"


def test_the_system_s_first_group_keeps_its_processes(tmp_path):
    proc = machine_with(tmp_path, "/")
    top = tmp_path / "groups"
    (top / "cgroup.type").unlink()
    divide(proc)
    assert not (top / "nebula-lab").exists()
    (top / "cgroup.subtree_control").write_text("cpu memory pids io\n")
    assert find(proc).folders["cpu"] == top


def test_controllers_that_were_not_handed_down_are_named(tmp_path):
    proc = machine_with(tmp_path, SCOPE)
    (folder_of(tmp_path, SCOPE) / "cgroup.controllers").write_text("memory pids\n")
    with pytest.raises(OSError, match=r"has no cpu$"):
        divide(proc)


def test_where_no_groups_are_mounted_there_are_none(tmp_path):
    (tmp_path / "cgroup").write_text("0::/\n")
    (tmp_path / "mountinfo").write_text("23 1 0:20 / /proc rw - proc proc rw\n")
    for search in (find, divide):
        with pytest.raises(OSError, match="no control group"):
            search(tmp_path)
    assert file_systems(tmp_path) == ()


def test_in_version_1_processor_and_threads_have_a_group_each(tmp_path):
    for name in ("cpu,cpuacct", "pids", "memory"):
        (tmp_path / name / "own").mkdir(parents=True)
        (tmp_path / name / "own" / "cgroup.procs").write_text("")
    (tmp_path / "cgroup").write_text("3:pids:/own\n2:cpu,cpuacct:/own\n1:memory:/own\n0::/\n")
    (tmp_path / "mountinfo").write_text(
        "".join(
            f"3{number} 30 0:2{number} / {tmp_path / name} rw - cgroup cgroup rw,{name}\n"
            for number, name in enumerate(("cpu,cpuacct", "pids", "memory"))
        )
    )
    folders = {"cpu": tmp_path / "cpu,cpuacct" / "own", "pids": tmp_path / "pids" / "own"}
    assert find(tmp_path) == Place(1, folders, "tasks")


# Limits


@pytest.mark.parametrize(
    ("percent", "quota"),
    [(25, "25000 100000"), (150, "150000 100000"), (0.5, "1000 200000"), (0.01, "1000 1000000")],
)
def test_a_share_of_the_processor_is_a_quota_that_the_kernel_takes(group, tmp_path, percent, quota):
    group.limit_processor(percent)
    assert (tmp_path / "g" / "cpu.max").read_text() == quota


def test_memory_is_limited_without_swap_to_go_to(group, tmp_path):
    assert group.has_memory
    assert group.memory() == 50 << 20
    group.limit_memory(1 << 30)
    assert (tmp_path / "g" / "memory.max").read_text() == f"{1 << 30}"
    assert (tmp_path / "g" / "memory.swap.max").read_text() == "0"


def test_what_the_kernel_stopped_is_read_from_its_events(group, tmp_path):
    assert group.stops() == {"memory": 0, "threads": 0}
    (tmp_path / "g" / "memory.events").write_text("low 0\noom 3\noom_kill 2\noom_group_kill 1\n")
    (tmp_path / "g" / "pids.events").write_text("max 5\n")
    assert group.stops() == {"memory": 2, "threads": 5}


def test_who_enters_says_so_by_a_descriptor_and_closes_it(group, tmp_path):
    (entrance,) = group.entrances
    join([os.dup(entrance)])
    assert (tmp_path / "g" / "cgroup.procs").read_text() == "0"
    group.close_entrances()
    assert group.entrances == ()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(entrance)


def test_all_in_a_group_are_killed_by_the_kernel_at_once_and_without_a_quota(group, tmp_path):
    group.limit_processor(1)
    group.kill()
    assert (tmp_path / "g" / "cgroup.kill").read_text() == "1"
    assert (tmp_path / "g" / "cpu.max").read_text() == "max"


def test_a_group_that_can_not_be_entered_is_not_left_behind(tmp_path):
    with pytest.raises(FileNotFoundError):
        Group(place_in(tmp_path)._replace(entrance="nothing"), "g")
    assert not (tmp_path / "g").exists()
