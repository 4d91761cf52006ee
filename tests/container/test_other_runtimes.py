"""Containers by docker's own service, and by podman as an ordinary user: nothing is different."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator

import pytest
from attack_stage import users
from container_runtime import need_containers, need_docker
from docker_service import docker_service
from siege import Siege, themed

from nebula_lab.sandbox.container.command import LABEL

# Those for which a runtime has walls of its own; see test_attacks_in_containers.py for all.
THEMES = ("manager", "networks", "kernel")
# Each has an image built of its own, which takes a minute on a machine under load.
pytestmark = pytest.mark.timeout(300)
SMALL = {"max_scratch": "4MiB"}


class Docker:
    """A manager that is root's, with a docker that is the test's."""

    def __init__(self, address: str) -> None:
        self.variables = {"DOCKER_HOST": address}
        sandbox = {"type": "Container", "runtime": "docker"}
        self.siege = Siege(0, self.variables, sandbox=sandbox, resource_limits=SMALL)

    def containers(self) -> list[str]:
        command = ["docker", "ps", "-a", "-q", "--filter", f"label={LABEL}"]
        environment = {**os.environ, **self.variables}
        return subprocess.run(
            command, capture_output=True, text=True, check=True, env=environment
        ).stdout.split()

    def end(self) -> None:
        """Nothing but the service is left, which goes next."""


class Rootless:
    """A manager of an ordinary user's, whose containers are podman's."""

    def __init__(self) -> None:
        # Debian's podman copies the whole image for each container otherwise.
        variables = {"STORAGE_DRIVER": "overlay", "XDG_RUNTIME_DIR": ""}
        sandbox = {"type": "Container", "runtime": "podman"}
        uid = users()["ordinary"]
        self.siege = Siege(uid, variables, is_known=True, sandbox=sandbox, resource_limits=SMALL)

    def containers(self) -> list[str]:
        """By those who watch over them: podman shows them only to this user."""
        listed = subprocess.run(
            ["ps", "-U", str(self.siege.stage.uid), "-o", "args="],
            capture_output=True,
            text=True,
            check=False,
        )
        return [line for line in listed.stdout.splitlines() if "conmon" in line]

    def end(self) -> None:
        """podman leaves a process that holds the user's namespace, for whoever comes next."""
        for file in self.siege.stage.folder.rglob("pause.pid"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(file.read_text()), signal.SIGKILL)


@contextlib.contextmanager
def _docker() -> Iterator[Docker]:
    need_docker()
    with docker_service() as address:
        yield Docker(address)


@contextlib.contextmanager
def _rootless() -> Iterator[Rootless]:
    need_containers()
    if os.getuid():
        pytest.skip("all tests of containers are run as an ordinary user here")
    yield Rootless()


@pytest.fixture(scope="module", params=[_docker, _rootless], ids=["docker", "rootless"])
def runtime(request):
    with request.param() as found:
        try:
            yield found
        finally:
            found.end()
            assert found.siege.close() == []
            assert found.containers() == []


@pytest.mark.parametrize("name", sorted(themed(*THEMES)))
def test_it_is_stopped_by_whichever_runtime(runtime, name):
    before = runtime.siege.effects()
    outcome = runtime.siege.attempt(name)
    assert runtime.siege.effects() == before, f"it reached the stage: {outcome}"
    assert not outcome["succeeded"], outcome
    assert len(runtime.siege.ask("ping")) == 2


def test_it_sees_no_process_but_its_own(runtime):
    assert max(runtime.siege.ask("ping")) < 100  # a pid in there


def test_the_signal_that_ended_it_is_named(runtime):
    assert runtime.siege.attempt("kill_itself")["ended"] == "SIGKILL"
    assert len(runtime.siege.ask("ping")) == 2


# The last, since nothing is left for others.


def test_a_manager_that_is_killed_leaves_no_container(runtime, wait_until):
    assert runtime.containers()
    os.kill(runtime.siege.pid, signal.SIGKILL)
    wait_until(lambda: not runtime.containers(), "the containers' end", timeout=60)
    wait_until(lambda: not runtime.siege.run_folders(), "its folders are gone", timeout=30)
