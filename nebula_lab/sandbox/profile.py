"""What of a host can't be changed any more once it has booted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from msgspec import structs

from nebula_lab.confine import loopback
from nebula_lab.confine.cgroup_places import file_systems
from nebula_lab.confine.confinement import Confined, Confinement, Guard, Network
from nebula_lab.confine.grants import Grant
from nebula_lab.confine.machine import Machine
from nebula_lab.confine.places import Places
from nebula_lab.environments.environment import Environment, is_harmless
from nebula_lab.model import PluginCapability
from nebula_lab.model.granted_rights import Rights
from nebula_lab.model.policy import EffectivePolicy
from nebula_lab.sandbox.base import Grants
from nebula_lab.sandbox.surroundings import Surroundings
from nebula_lab.sandbox.visible_files import VisibleFiles

# All stacks together reserve at most this part of the memory.
_OF_STACKS = 2
# These are about the Python that the manager runs in, and would lead another one astray.
_OF_ONE_PYTHON = frozenset(
    {"PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONEXECUTABLE", "PYTHONPLATLIBDIR"}
)
_PROXY_VARIABLES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "NO_PROXY"})


@dataclass(frozen=True)
class Profile:
    """Hosts of one profile are alike until their plugin comes.

    Attributes:
        confinement: what a host takes from itself.
        variables: names of those environment variables that it gets besides the harmless ones.
        has_proxies: whether it is told of the user's proxies.
        is_grouped: whether it gets a control group.
        environment: the Python that its plugin chose; None for the manager's own.
    """

    confinement: Confinement
    variables: frozenset[str]
    has_proxies: bool
    is_grouped: bool = False
    environment: Environment | None = None

    def environment_variables(
        self, surroundings: Surroundings, mark: str, places: Places
    ) -> dict[bytes, bytes]:
        """The variables of a host."""
        given = {
            name: value
            for name, value in surroundings.marked(mark).items()
            if self._gets(name.decode("utf-8", "surrogateescape"))
        }
        own: dict[str, str] = {}
        if self.confinement.network is Network.PROXY:
            own |= loopback.variables()
        if self.confinement.is_restricted:
            own |= {"HOME": places.home, "TMPDIR": places.temporary}
        if self.environment is not None:
            own["PATH"] = self.environment.search_path(given.get(b"PATH", b"").decode())
        return given | {name.encode(): value.encode() for name, value in own.items()}

    def is_current(self) -> bool:
        """Whether what was granted is still what is there, so that a host could start."""
        is_there = self.environment is None or self.environment.is_there()
        return is_there and all(one.is_there() for one in self.confinement.grants)

    def _gets(self, name: str) -> bool:
        if self.environment is not None and name in _OF_ONE_PYTHON:
            return False
        if name in self.variables or is_harmless(name):
            return True
        return self.has_proxies and name.upper() in _PROXY_VARIABLES

    def confined(self, places: Places) -> Confined:
        """What one host takes from itself."""
        command = () if self.environment is None else self.environment.host_command
        return Confined(self.confinement, places, command)


def profile_for(
    policy: EffectivePolicy,
    grants: Grants,
    machine: Machine,
    files: VisibleFiles,
    surroundings: Surroundings,
    environment: Environment | None = None,
) -> Profile:
    """How a host for a plugin of this policy starts on this machine.

    Args:
        policy: what holds for the plugin.
        grants: the files that it was granted.
        machine: what can be enforced.
        files: what every host sees.
        surroundings: what it inherits.
        environment: the Python that the plugin chose; `files` are those of hosts in it.
    """
    rights, limits = policy.rights, policy.limits
    network = _network(rights, machine)
    readable, listed, hidden = _files(rights, grants, machine, files, network, surroundings)
    groups = file_systems() if _wants_group(policy, machine) else ()
    confinement = Confinement(
        namespaces=machine.namespaces.works,
        landlock=machine.landlock.version if machine.landlock.works else 0,
        seccomp=machine.seccomp.works,
        guard=_guard(rights, machine),
        is_restricted=not rights.sees_all_files,
        readable=readable,
        listed=listed,
        grants=_unable_to_leave(grants, machine, groups),
        hidden=hidden,
        network=network,
        has_unix_sockets=network is Network.FULL and rights.sees_all_files,
        has_system_calls=rights.has(PluginCapability.SYSTEM_CALLS),
        memory=limits.memory,
        files=limits.files,
        threads=limits.threads if machine.counts_threads.works else None,
        stack=limits.memory // _OF_STACKS // limits.threads,
        home_size=limits.scratch,
        groups=groups,
        kept=() if environment is None else (environment.prefix, environment.ours),
    )
    variables = frozenset(rights.variables or ())
    has_proxies = network is Network.FULL
    return Profile(confinement, variables, has_proxies, bool(groups), environment)


def _wants_group(policy: EffectivePolicy, machine: Machine) -> bool:
    """Whether a group would hold what rlimits do not: to enter one can take 20 ms."""
    is_wanted = (
        policy.limits.cpu_percent is not None
        or policy.rights.has(PluginCapability.PROCESS_SPAWN)
        or not machine.counts_threads.works
    )
    return machine.cgroups.works and is_wanted


def _network(rights: Rights, machine: Machine) -> Network:
    if not rights.has(PluginCapability.NETWORK):
        return Network.NONE
    # Without a network of its own there is no proxy that it could not go round: a gap, and said.
    has_own = machine.namespaces.works
    return Network.PROXY if rights.hosts is not None and has_own else Network.FULL


def _guard(rights: Rights, machine: Machine) -> Guard:
    if not rights.has(PluginCapability.PROCESS_SPAWN):
        return Guard.NONE
    return Guard.NAMESPACE if machine.pid_namespace.works else Guard.SUBREAPER


def _unable_to_leave(
    grants: Grants, machine: Machine, groups: tuple[str, ...]
) -> tuple[Grant, ...]:
    """What was granted, but not to write into file systems of groups: it could leave its own."""
    # Its tree has groups read-only in what is larger. Landlock can't except anything.
    is_kept = _is_outside if machine.namespaces.works else _is_apart
    return tuple(
        one
        if all(is_kept(Path(one.path), Path(folder)) for folder in groups)
        else structs.replace(one, is_writable=False)
        for one in grants.given
    )


def _is_outside(one: Path, folder: Path) -> bool:
    return not one.is_relative_to(folder)


def _is_apart(one: Path, folder: Path) -> bool:
    return _is_outside(one, folder) and not folder.is_relative_to(one)


def _files(
    rights: Rights,
    grants: Grants,
    machine: Machine,
    files: VisibleFiles,
    network: Network,
    surroundings: Surroundings,
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """What is readable, listed and hidden; see `Confinement`."""
    if rights.sees_all_files:
        return (), (), files.own
    python_path = files.python_path(surroundings.named("PYTHONPATH"))
    readable = files.readable(python_path, networks=network is Network.FULL)
    if not machine.namespaces.works:
        return *files.added(readable, python_path), ()
    hidden = grants.hidden if grants.given else files.hidden
    return readable, (), hidden
