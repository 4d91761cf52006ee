"""What holds for a plugin, as values: manifest × configuration × sandbox × machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from nebula_lab.confine.machine import Machine, Mechanism
from nebula_lab.model import PluginCapability, PluginConfig, PluginDescriptor
from nebula_lab.model.enforcement import Enforcement
from nebula_lab.model.policy import effective_policy

MIB = 2**20
EVERYTHING = [capability.value for capability in PluginCapability]
MECHANISMS = Machine.__struct_fields__


def machine(*missing: str) -> Machine:
    """One that has everything but what is named."""
    return Machine(
        **{name: Mechanism(name not in missing, "", f"get {name}") for name in MECHANISMS}
    )


def policy(asked=(), security=None, without=(), **settings):
    """Of a plugin in /plugins."""
    asks = asked if isinstance(asked, dict) else {"capabilities": list(asked)}
    descriptor = PluginDescriptor.model_validate(
        {"id": "it", "version": "1.0.0", "path": "/plugins/it.py", "security": asks}
    )
    config = PluginConfig.model_validate({"security": security or {}, **settings})
    return effective_policy(descriptor, config, machine(*without))


def how(effective, name):
    (measure,) = [one for one in effective.measures if one.name == name]
    return measure.how


def test_a_plugin_that_asks_for_nothing_has_nothing():
    assert policy().rights.capabilities == frozenset()


def test_a_plugin_gets_what_it_asks_for_and_the_configuration_allows():
    found = policy(["Network", "ProcessSpawn"], {"capabilities": ["Network", "FileSystem"]})
    assert found.rights.capabilities == {PluginCapability.NETWORK}
    assert found.rights.refused == (PluginCapability.PROCESS_SPAWN,)


FUEL = {"sandbox": {"type": "Wasm", "fuel": 1_000_000}}


def test_fuel_is_a_limit_that_a_machine_holds():
    found = policy([], FUEL)
    assert found.limits.fuel == 1_000_000 and how(found, "fuel") is Enforcement.MANAGER


def test_fuel_is_a_gap_where_a_component_brings_its_own_webassembly():
    descriptor = PluginDescriptor.model_validate(
        {"id": "it", "version": "1.0.0", "path": "/plugins/it.wasm"}
    )
    config = PluginConfig.model_validate({"security": FUEL})
    found = effective_policy(descriptor, config, machine())
    assert [one.name for one in found.gaps] == ["fuel"]


def test_a_plugin_has_fuel_where_its_own_sandbox_says_so():
    security = {"sandboxes": {"it": {"Wasm": {"fuel": 5}}}}
    assert policy([], security).limits.fuel == 5
    assert policy([], {"sandboxes": {"other": {"Wasm": {"fuel": 5}}}}).limits.fuel is None


def test_in_sandbox_none_a_plugin_has_everything_and_nothing_is_a_gap():
    found = policy([], {"sandbox": "None"}, without=MECHANISMS)
    assert found.rights.capabilities == set(PluginCapability)
    assert {one.how for one in found.measures} == {Enforcement.NONE}
    assert found.gaps == ()


@pytest.mark.parametrize(
    ("asked", "allowed", "paths"),
    [
        ([], None, None),
        (["data"], None, [("/plugins/data", "ro")]),
        (["/data:rw"], None, [("/data", "rw")]),
        (["../data"], None, [("/data", "ro")]),
        ([], ["/data"], [("/data", "ro")]),
        (["/data/a:rw"], ["/data"], [("/data/a", "ro")]),
        (["/data/a:rw"], ["/data:rw"], [("/data/a", "rw")]),
        (["/"], ["/data"], [("/data", "ro")]),
        (["/etc"], ["/data"], []),
        (["/data/../etc"], ["/data"], []),
        (["/data:rw", "/data/a:rw"], None, [("/data", "rw")]),
    ],
)
def test_paths_are_the_overlap_of_what_is_asked_for_and_allowed(asked, allowed, paths):
    asks = {"capabilities": ["FileSystem"], "allowed_paths": asked}
    found = policy(asks, {"allowed_paths": allowed}).rights
    wanted = None if paths is None else tuple((Path(path), mode) for path, mode in paths)
    assert found.paths == wanted or tuple((one.path, one.mode) for one in found.paths) == wanted
    assert found.sees_all_files == (paths is None)


def test_without_file_system_a_plugin_sees_no_files_whatever_paths_it_names():
    assert not policy({"allowed_paths": ["/data"]}).rights.sees_all_files


@pytest.mark.parametrize(
    ("asked", "allowed", "hosts"),
    [
        ([], None, None),
        (["a.org"], None, ("a.org",)),
        ([], ["a.org"], ("a.org",)),
        (["a.org", "b.org"], ["b.org"], ("b.org",)),
        (["a.org"], [], ()),
    ],
)
def test_hosts_are_those_that_are_asked_for_and_allowed(asked, allowed, hosts):
    asks = {"capabilities": ["Network"], "allowed_hosts": asked}
    assert policy(asks, {"allowed_hosts": allowed}).rights.hosts == hosts


@pytest.mark.parametrize(
    ("asked", "allowed", "both"),
    [
        ("api.x.org:443", "api.x.org", "api.x.org:443"),
        ("api.x.org", "api.x.org:443", "api.x.org:443"),
        ("api.x.org:80", "api.x.org:443", None),
        ("API.x.org", "api.x.org", "API.x.org"),
        ("api.x.org", "*.x.org:443", "api.x.org:443"),
        ("*.x.org", "api.x.org", "api.x.org"),
        ("x.org", "*.x.org", None),
        ("evilx.org", "*.x.org", None),
        ("[::1]:80", "[::1]", "[::1]:80"),
        ("[::1]", "[::1:80]", None),
    ],
)
def test_of_hosts_with_and_without_a_port_the_narrower_is_meant(asked, allowed, both):
    asks = {"capabilities": ["Network"], "allowed_hosts": [asked]}
    found = policy(asks, {"allowed_hosts": [allowed]}).rights.hosts
    assert found == ((both,) if both else ())


def test_variables_are_those_that_are_asked_for_and_allowed():
    asks = {"allowed_variables": ["A", "B"]}
    assert policy(asks).rights.variables == ("A", "B")
    assert policy(asks, {"allowed_variables": ["B"]}).rights.variables == ("B",)


@pytest.mark.parametrize(
    ("asked", "settings", "memory"),
    [
        ([], {}, 256 * MIB),
        (["MemoryAllocation"], {}, 1024 * MIB),
        (["MemoryAllocation"], {"memory_limit": "300MiB"}, 300 * MIB),
        ([], {"memory_limit": "100MiB"}, 100 * MIB),
    ],
)
def test_memory_is_the_smaller_of_what_applies(asked, settings, memory):
    assert policy(asked, **settings).limits.memory == memory


def test_a_machine_that_has_everything_has_no_gaps():
    assert policy().gaps == ()
    assert policy(EVERYTHING, {"capabilities": EVERYTHING}).gaps == ()


@pytest.mark.parametrize(
    ("asked", "missing"),
    [
        ([], ["namespaces", "pid_namespace"]),
        (EVERYTHING[1:2], ["landlock", "scopes"]),
        (["ProcessSpawn"], ["pid_namespace", "counts_threads"]),
    ],
)
def test_one_mechanism_stands_in_for_another(asked, missing):
    found = policy(asked, {"capabilities": EVERYTHING}, without=missing)
    assert found.gaps == ()


@pytest.mark.parametrize(
    ("asked", "missing", "gaps"),
    [
        ([], ["seccomp"], {"processes", "system calls"}),
        ([], ["landlock", "namespaces"], {"files", "others"}),
        (["FileSystem"], ["namespaces"], {"files"}),
        (["Network"], ["seccomp"], {"network", "processes", "system calls"}),
        (
            {"capabilities": ["Network"], "allowed_hosts": ["a.org"]},
            ["namespaces"],
            {"network"},
        ),
    ],
)
def test_what_nothing_enforces_is_a_gap_with_a_cure(asked, missing, gaps):
    found = policy(asked, without=missing)
    assert {gap.name for gap in found.gaps} == gaps
    for gap in found.gaps:
        assert any(f"get {name}" in gap.cure for name in missing)


def test_landlock_before_version_3_needs_seccomp_to_keep_files_from_being_emptied():
    missing = ["namespaces", "pid_namespace"]
    assert "files" not in {gap.name for gap in policy(without=missing).gaps}
    assert "files" in {gap.name for gap in policy(without=[*missing, "seccomp"]).gaps}


def test_threads_of_a_user_that_the_kernel_does_not_count_are_sampled():
    assert how(policy(), "threads") is Enforcement.KERNEL
    assert how(policy(without=["counts_threads", "cgroups"]), "threads") is Enforcement.SAMPLING


@pytest.mark.parametrize("more", [[], ["namespaces"], ["landlock"]])
def test_who_may_start_processes_needs_more_than_a_filter_of_signals(more):
    missing = ["pid_namespace", "scopes", *more]
    found = policy(["ProcessSpawn"], {"capabilities": ["ProcessSpawn"]}, without=missing)
    assert {"processes", "others"} <= {gap.name for gap in found.gaps}


def test_without_namespaces_a_plugin_with_sockets_needs_somebody_to_look_at_its_scratch():
    assert how(policy(["Network"], without=("namespaces",)), "scratch") is Enforcement.SAMPLING
    unseen = policy(["Network"], without=("namespaces", "sees_calls"))
    assert how(unseen, "scratch") is Enforcement.NONE
    assert how(policy(without=("namespaces", "sees_calls")), "scratch") is Enforcement.SAMPLING
    assert how(policy(["Network"], without=("sees_calls",)), "scratch") is Enforcement.KERNEL
