"""The command line that runs one container."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nebula_lab.agent.marking import MARK
from nebula_lab.confine.confinement import Confined, Guard, Network
from nebula_lab.model import Container
from nebula_lab.model.policy import Limits
from nebula_lab.sandbox.container.abilities import Abilities
from nebula_lab.sandbox.container.runtime import Runtime
from nebula_lab.sandbox.usage import BOOTED

# A container that belongs to a manager, and which: its process, and when that was started.
LABEL, OWNER = "nebula-lab.host", "nebula-lab.owner"
# Of the user «nobody», where the manager is root's: root in there would be root out here.
_NOBODY = 65_534
# What a Python and our agent have in memory by themselves; see `HostGroup.hold` for the rest.
_BASE = 128 * 2**20
_TIMES, _FOLDERS = 2, 2
_SHARED = 16 * 2**20
# The first process of the container, and the one that starts a runtime's own checks.
_BESIDE = 4
# Said, since a runtime asks for more than it may have by itself. Our own limits are set inside,
# counted from what the booted host uses.
_ULIMITS = (
    ("nofile", resource.RLIMIT_NOFILE, 65_536),
    ("nproc", resource.RLIMIT_NPROC, 4_096),
    ("core", resource.RLIMIT_CORE, 0),
)


@dataclass(frozen=True)
class Plan:
    """What one container is to be.

    Attributes:
        name: of the container.
        owner: of the manager, for `OWNER`.
        mark: what its processes are found by.
        settings: how containers are run.
        image: what it is made of.
        limits: of its plugin.
        confined: what its host takes from itself, and where it lives.
        door: the folder with the manager's socket.
        uid: of the manager's user.
        gid: of that user's group.
        abilities: of its runtime.
    """

    name: str
    owner: str
    mark: str
    settings: Container
    image: str
    limits: Limits
    confined: Confined
    door: Path
    uid: int
    gid: int
    abilities: Abilities

    @property
    def user(self) -> int:
        """The user that it runs as. Nobody, where that can see all that it has to."""
        return self.uid if self.uid or self.confined.confinement.grants else _NOBODY

    @property
    def said_user(self) -> str:
        """The same, as the runtime has it."""
        if self.user == _NOBODY:
            return f"{_NOBODY}:{_NOBODY}"
        # Without root, a runtime makes the user who runs it the root of the container, who is
        # nobody else.
        return "0:0" if self.abilities.is_rootless else f"{self.uid}:{self.gid}"


def command(plan: Plan, runtime: Runtime, entry: tuple[str, ...]) -> list[str]:
    """What to ask of a runtime.

    Args:
        plan: what it is to be.
        runtime: that is asked.
        entry: the program that is run in it, with its arguments.
    """
    return [
        *("run", "-d", "--rm", "--pull", "never", "--name", plan.name),
        *("--label", f"{LABEL}={plan.mark}", "--label", f"{OWNER}={plan.owner}"),
        *("--hostname", "plugin", "--workdir", "/", "--env", f"{MARK}={plan.mark}"),
        *_walls(plan, runtime),
        *_network(plan),
        *_limits(plan),
        *_files(plan),
        *("--entrypoint", entry[0], plan.image, *entry[1:]),
    ]


def _walls(plan: Plan, runtime: Runtime) -> Iterator[str]:
    yield from ("--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges")
    if runtime.is_podman:
        yield from ("--read-only-tmpfs=false", "--image-volume", "ignore")
    yield "--no-healthcheck"
    yield from ("--user", plan.said_user)
    yield from ("--log-driver", "none")


def _network(plan: Plan) -> Iterator[str]:
    network = plan.confined.confinement.network
    if network is not Network.FULL:
        yield from ("--network", "none")
    elif plan.settings.network is not None:
        yield from ("--network", plan.settings.network)


def _limits(plan: Plan) -> Iterator[str]:
    limits = plan.limits
    for name, number, most in _ULIMITS:
        allowed = _at_most(number, most)
        yield from ("--ulimit", f"{name}={allowed}:{allowed}")
    yield from ("--shm-size", str(_shared(plan)))
    if plan.abilities.memory:
        memory = _BASE + _TIMES * limits.memory + _FOLDERS * limits.scratch
        yield from ("--memory", str(memory), "--memory-swap", str(memory))
    if plan.abilities.threads:
        yield from ("--pids-limit", str(BOOTED + limits.threads + _BESIDE))
    if plan.abilities.processor and limits.cpu_percent is not None:
        yield from ("--cpus", f"{max(limits.cpu_percent / 100, 0.01):.3f}")


def _at_most(number: int, most: int) -> int:
    _, hard = resource.getrlimit(number)
    return most if hard == resource.RLIM_INFINITY else min(hard, most)


def _shared(plan: Plan) -> int:
    has_others = plan.confined.confinement.guard is not Guard.NONE
    return plan.limits.scratch if has_others else min(_SHARED, plan.limits.scratch)


def _files(plan: Plan) -> Iterator[str]:
    confinement, places = plan.confined.confinement, plan.confined.places
    program = "exec" if confinement.guard is not Guard.NONE else "noexec"
    yield from (
        "--tmpfs",
        f"{places.home}:rw,{program},nosuid,nodev,size={plan.limits.scratch},mode=1777",
    )
    yield from ("--volume", f"{places.plugin}:{places.plugin}:ro")
    yield from ("--volume", f"{plan.door}:{plan.door}:ro")
    if plan.settings.kernel:
        yield from ("--volume", f"{places.ipc}:{places.ipc}:rw")
    for grant in confinement.grants:
        yield from ("--volume", f"{grant.path}:{grant.path}:{'rw' if grant.is_writable else 'ro'}")
    for path in confinement.hidden:
        if any(Path(path).is_relative_to(grant.path) for grant in confinement.grants):
            yield from ("--tmpfs", f"{path}:ro,noexec,nosuid,nodev,size=4096,mode=0555")
