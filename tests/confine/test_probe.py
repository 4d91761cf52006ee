"""What a machine has is found by trying it, and what it lacks is said with a cure that fits."""

from __future__ import annotations

import os

import pytest
from poor_machine import on_poor_machine

from nebula_lab.confine.machine import Machine
from nebula_lab.confine.obstacles import explained, obstacles
from nebula_lab.sandbox.probing import Prober

PROBE = """
import msgspec
from nebula_lab.confine.probe import probe
print(msgspec.json.encode(probe()).decode())
"""


def lacking(found):
    return {name for name, mechanism in found.items() if not mechanism["works"]}


@pytest.fixture(scope="module")
def here():
    machine = Prober().machine()
    return {name: getattr(machine, name) for name in Machine.__struct_fields__}


def test_what_works_needs_no_cure_and_what_does_not_has_one(here):
    assert all(bool(one.cure) is not one.works for one in here.values())
    assert all(one.works or one.detail for one in here.values())


def test_threads_are_counted_unless_it_is_root_who_starts_them(here):
    if here["namespaces"].works:
        assert here["counts_threads"].works is (os.geteuid() != 0)


def test_without_user_namespaces_their_limit_is_named():
    found = on_poor_machine(PROBE)
    assert {"namespaces", "pid_namespace"} <= lacking(found)
    assert {"landlock", "seccomp"}.isdisjoint(lacking(found))
    assert found["namespaces"]["detail"] == "no more user namespaces may be made"
    assert "user.max_user_namespaces" in found["namespaces"]["cure"]
    assert "apparmor" not in found["namespaces"]["cure"]


def test_in_a_container_its_own_filter_is_to_blame():
    found = on_poor_machine(PROBE, "unshare")
    assert {"namespaces", "pid_namespace"} <= lacking(found)
    assert "not permitted" in found["namespaces"]["detail"]
    assert "seccomp profile" in found["namespaces"]["cure"]


@pytest.mark.parametrize(
    ("call", "missing"),
    [("landlock_create_ruleset", {"landlock", "scopes"}), ("seccomp", {"seccomp"})],
)
def test_what_the_kernel_refuses_does_not_work(call, missing):
    found = on_poor_machine(PROBE, call)
    assert lacking(found) - {"counts_threads", "cgroups", "cgroup_memory"} == missing
    assert all(found[name]["cure"] for name in missing)


@pytest.mark.parametrize(
    ("name", "value", "cured_by"),
    [
        ("user/max_user_namespaces", "0", "user.max_user_namespaces="),
        ("user/max_user_namespaces", "100", ""),
        ("kernel/unprivileged_userns_clone", "0", "unprivileged_userns_clone=1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "AppArmor"),
        ("kernel/apparmor_restrict_unprivileged_userns", "0", ""),
    ],
)
def test_a_setting_that_is_in_the_way_is_named(tmp_path, name, value, cured_by):
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(f"{value}\n")
    found = obstacles(tmp_path, tmp_path / "status")
    assert cured_by in found if cured_by else found == ""


def test_errors_that_name_a_file_keep_it():
    assert "/x" in explained(FileNotFoundError(2, "No such file", "/x"))
    assert explained(OSError("in words")) == "in words"
