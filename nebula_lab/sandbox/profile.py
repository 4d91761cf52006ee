"""What of a host can't be changed any more once it has booted."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from nebula_lab.confine import loopback
from nebula_lab.confine.cgroup_places import file_systems
from nebula_lab.confine.confinement import Confined, Confinement, Guard, Network, Places
from nebula_lab.confine.machine import Machine
from nebula_lab.environments.environment import Environment, is_harmless
from nebula_lab.model import AllowedPath, PluginCapability
from nebula_lab.model.policy import EffectivePolicy, Rights
from nebula_lab.sandbox.surroundings import Surroundings

# Of the system's files, those that programs and libraries read wherever they run.
_SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
)
_OF_NETWORKS = (
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/pki",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ca-certificates",
)
# All stacks together reserve at most this part of the memory.
_OF_STACKS = 2
_PROXY_VARIABLES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "NO_PROXY"})


@dataclass(frozen=True)
class Profile:
    """Hosts of one profile are alike until their plugin comes.

    Attributes:
        confinement: what a host takes from itself.
        variables: names of those environment variables that it gets besides the harmless ones.
        has_proxies: whether it is told of the user's proxies.
        is_grouped: whether it gets a control group.
    """

    confinement: Confinement
    variables: frozenset[str]
    has_proxies: bool
    is_grouped: bool = False

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
        return given | {name.encode(): value.encode() for name, value in own.items()}

    def _gets(self, name: str) -> bool:
        if name in self.variables or is_harmless(name):
            return True
        return self.has_proxies and name.upper() in _PROXY_VARIABLES

    def confined(self, places: Places) -> Confined:
        """What one host takes from itself."""
        return Confined(self.confinement, places)


def profile_for(
    policy: EffectivePolicy,
    machine: Machine,
    environment: Environment,
    surroundings: Surroundings,
    hidden: tuple[Path, ...] = (),
) -> Profile:
    """How a host for a plugin of this policy starts on this machine.

    Args:
        policy: what holds for the plugin.
        machine: what can be enforced.
        environment: the Python that it runs in.
        surroundings: what it inherits.
        hidden: folders of ours that no plugin sees.
    """
    rights, limits = policy.rights, policy.limits
    network = _network(rights, machine)
    groups = file_systems() if _wants_group(policy, machine) else ()
    confinement = Confinement(
        namespaces=machine.namespaces.works,
        landlock=machine.landlock.works,
        seccomp=machine.seccomp.works,
        guard=_guard(rights, machine),
        is_restricted=not rights.sees_all_files,
        readable=_readable(rights, network, environment, surroundings.named("PYTHONPATH")),
        writable=_writable(rights, machine, groups),
        hidden=tuple(map(str, hidden)),
        network=network,
        has_unix_sockets=network is Network.FULL and rights.sees_all_files,
        has_system_calls=rights.has(PluginCapability.SYSTEM_CALLS),
        memory=limits.memory,
        files=limits.files,
        threads=limits.threads if machine.counts_threads.works else None,
        stack=limits.memory // _OF_STACKS // limits.threads,
        home_size=limits.scratch,
        groups=groups,
    )
    variables = frozenset(rights.variables or ())
    return Profile(confinement, variables, network is Network.FULL, bool(groups))


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


def _granted(rights: Rights) -> tuple[AllowedPath, ...]:
    if not rights.has(PluginCapability.FILE_SYSTEM):
        return ()
    return rights.paths or ()


def _writable(rights: Rights, machine: Machine, groups: tuple[str, ...]) -> tuple[str, ...]:
    """Where it may write; not into the file systems of groups, or it could leave its own."""
    granted = (one.path for one in _granted(rights) if one.mode == "rw")
    # Its tree has groups read-only in what is larger. Landlock can't except anything.
    is_kept = _is_outside if machine.namespaces.works else _is_apart
    return tuple(
        str(one)
        for one in granted
        if all(is_kept(Path(os.path.realpath(one)), Path(folder)) for folder in groups)
    )


def _is_outside(one: Path, folder: Path) -> bool:
    return not one.is_relative_to(folder)


def _is_apart(one: Path, folder: Path) -> bool:
    return _is_outside(one, folder) and not folder.is_relative_to(one)


def _readable(
    rights: Rights, network: Network, environment: Environment, python_path: str
) -> tuple[str, ...]:
    if rights.sees_all_files:
        return ()
    granted = (str(one.path) for one in _granted(rights))
    networks = _OF_NETWORKS if network is Network.FULL else ()
    found = (*_SYSTEM, *networks, *environment.folders(python_path), *granted)
    return tuple(dict.fromkeys(found))
