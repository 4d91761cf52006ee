"""What a runtime is asked for, as whoever runs the manager."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from nebula_lab.confine.confinement import Confined
from nebula_lab.confine.places import Places
from nebula_lab.errors import ContainerRuntimeError
from nebula_lab.model import Container, PluginConfig, PluginDescriptor
from nebula_lab.model.policy import effective_policy
from nebula_lab.sandbox.base import Grants
from nebula_lab.sandbox.container import abilities
from nebula_lab.sandbox.container.abilities import Abilities
from nebula_lab.sandbox.container.command import Plan, command
from nebula_lab.sandbox.container.profile import container_profile
from nebula_lab.sandbox.container.runtime import Runtime

PLACES = Places(ipc="/r/ipc", plugin="/r/plugin", home="/r/home", root="/r/root")
ALL = Abilities(memory=True, threads=True, processor=True, is_rootless=False)
CONFIG = {"security": {"sandbox": {"type": "Container", "runtime": "podman"}}}


def asked(runtime="podman", can=ALL, settings=None, uid=0, **rights):
    config = PluginConfig.model_validate(CONFIG)
    described = {"id": "one", "version": "1.0.0", "path": "/p.py", "security": rights}
    policy = effective_policy(PluginDescriptor.model_validate(described), config, None)
    profile = container_profile(policy, Grants(), filters=True)
    plan = Plan(
        name="nebula-x",
        owner="1-2",
        mark="1-nebula-x-1.",
        settings=settings or Container(runtime=runtime),
        image="image",
        limits=replace(policy.limits, cpu_percent=50.0),
        confined=Confined(profile.confinement, PLACES),
        door=Path("/r/door"),
        uid=uid,
        gid=567,
        abilities=can,
    )
    words = command(plan, Runtime(runtime), ("/python", "-I"))
    return dict(pairwise(words)), words


@pytest.mark.parametrize("runtime", ["podman", "docker"])
def test_nothing_can_be_gained_and_no_file_of_the_image_changed(runtime):
    said, words = asked(runtime)
    assert said["--cap-drop"] == "all"
    assert said["--security-opt"] == "no-new-privileges"
    assert said["--network"] == "none"
    assert said["--pull"] == "never"
    assert "--read-only" in words
    assert not {"--privileged", "--cap-add", "--device", "--pid", "--ipc"} & set(words)


def test_limits_are_those_of_the_plugin():
    said, _ = asked()
    assert int(said["--memory"]) > 2 * 256 * 2**20
    assert said["--memory"] == said["--memory-swap"]
    assert said["--cpus"] == "0.500"
    assert said["--pids-limit"] == "84"


def test_limits_that_a_runtime_can_not_hold_to_are_not_asked_for():
    said, _ = asked(can=replace(ALL, memory=False, processor=False))
    assert not {"--memory", "--cpus"} & set(said)
    assert said["--pids-limit"] == "84"


def test_a_network_is_only_for_those_who_may_reach_everyone():
    settings = Container(runtime="podman", network="slirp4netns")
    everyone, some = {"capabilities": ["Network"]}, ["example.org"]
    assert asked(settings=settings, **everyone)[0]["--network"] == "slirp4netns"
    assert asked(settings=settings, **everyone, allowed_hosts=some)[0]["--network"] == "none"


def test_whoever_is_not_root_is_itself_in_there():
    rootless = replace(ALL, is_rootless=True)
    for runtime in ("podman", "docker"):  # root of a namespace in which that is itself
        assert asked(runtime, can=rootless, uid=1234)[0]["--user"] == "0:0"
    assert asked("docker", uid=1234)[0]["--user"] == "1234:567"


def test_root_is_nobody_in_there():
    assert asked("docker")[0]["--user"] == "65534:65534"


def told(tmp_path, monkeypatch, name, answer, uid):
    """What a runtime can do that answers so, for somebody."""
    program = tmp_path / name
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\n")
    program.chmod(0o755)
    monkeypatch.setattr(abilities.os, "getuid", lambda: uid)
    return abilities.abilities_of(Runtime(str(program)))


def test_a_docker_says_which_limits_it_holds_to_and_whose_root_it_has(tmp_path, monkeypatch):
    answer = '[true,false,false,["name=seccomp,profile=default","name=rootless"]]'
    found = told(tmp_path, monkeypatch, "docker", answer, 0)
    assert found == Abilities(memory=True, threads=False, processor=False, is_rootless=True)


def test_a_podman_of_somebodys_own_has_the_controllers_that_were_handed_on(tmp_path, monkeypatch):
    groups = tmp_path / "cgroup.controllers"
    monkeypatch.setattr(abilities, "_V2", groups)
    answer = '["memory","pids"]'
    without = told(tmp_path, monkeypatch, "podman", answer, 1234)
    assert without == Abilities(memory=False, threads=False, processor=False, is_rootless=True)
    groups.touch()
    found = told(tmp_path, monkeypatch, "podman", answer, 1234)
    assert found == Abilities(memory=True, threads=True, processor=False, is_rootless=True)


def test_a_runtime_that_answers_something_else_is_an_error(tmp_path, monkeypatch):
    with pytest.raises(ContainerRuntimeError, match="does not say what it can limit"):
        told(tmp_path, monkeypatch, "docker", "hello", 0)
