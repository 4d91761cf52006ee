"""How a host in a container is confined, beside what its container does."""

from __future__ import annotations

from nebula_lab.confine import loopback
from nebula_lab.confine.confinement import Confinement, Guard, Network
from nebula_lab.confine.places import Places
from nebula_lab.environments.environment import is_harmless
from nebula_lab.model import PluginCapability
from nebula_lab.model.granted_rights import Rights
from nebula_lab.model.policy import EffectivePolicy
from nebula_lab.sandbox.base import Grants
from nebula_lab.sandbox.container.image_files import LIBRARIES, PREFIX
from nebula_lab.sandbox.profile import Profile
from nebula_lab.sandbox.surroundings import Surroundings

_OF_STACKS = 2
# About files and users that are not those of the container.
_OF_THE_HOST = frozenset(
    {"PATH", "HOME", "TMPDIR", "USER", "LOGNAME", "TZDIR", "GLIBC_TUNABLES"}
    | {"SSL_CERT_FILE", "SSL_CERT_DIR"}
)
_PREFIXES_OF_THE_HOST = ("PYTHON", "LD_", "NEBULA_LAB_")


class ContainerProfile(Profile):
    """As that of a process, with variables that mean something in a container."""

    def environment_variables(
        self, surroundings: Surroundings, mark: str, places: Places
    ) -> dict[bytes, bytes]:
        marked = surroundings.marked(mark)
        plain = dict(surroundings.variables)
        ours = {name: value for name, value in marked.items() if plain.get(name) != value}
        given = {
            name: value
            for name, value in plain.items()
            if self._means_something(name.decode("utf-8", "surrogateescape"))
        }
        own = {
            "HOME": places.home,
            "TMPDIR": places.temporary,
            "PATH": f"/{PREFIX}/bin",
            "LD_LIBRARY_PATH": f"/{LIBRARIES}",
        }
        if self.confinement.network is Network.PROXY:
            own |= loopback.variables()
        return given | ours | {name.encode(): value.encode() for name, value in own.items()}

    def _means_something(self, name: str) -> bool:
        if name in self.variables:
            return True
        return (
            is_harmless(name)
            and name not in _OF_THE_HOST
            and not name.startswith(_PREFIXES_OF_THE_HOST)
        )


def container_profile(
    policy: EffectivePolicy, grants: Grants, *, filters: bool
) -> ContainerProfile:
    """What a host for a plugin of this policy takes from itself in its container.

    That is all that a process takes, except for its namespaces and files: those it has.

    Args:
        policy: what holds for the plugin.
        grants: the files that it was granted.
        filters: whether system calls can be filtered here.
    """
    rights, limits = policy.rights, policy.limits
    confinement = Confinement(
        namespaces=True,
        landlock=0,
        seccomp=filters,
        guard=Guard.CONTAINER if rights.has(PluginCapability.PROCESS_SPAWN) else Guard.NONE,
        is_restricted=True,
        readable=(),
        listed=(),
        grants=grants.given,
        hidden=grants.hidden,
        network=_network(rights),
        has_unix_sockets=False,
        has_system_calls=rights.has(PluginCapability.SYSTEM_CALLS),
        memory=limits.memory,
        files=limits.files,
        threads=None,  # the container counts them: outside of it they are another user's too
        stack=limits.memory // _OF_STACKS // limits.threads,
        home_size=limits.scratch,
        contained=True,
    )
    variables = frozenset(rights.variables or ())
    return ContainerProfile(confinement, variables, confinement.network is Network.FULL)


def _network(rights: Rights) -> Network:
    if not rights.has(PluginCapability.NETWORK):
        return Network.NONE
    return Network.FULL if rights.hosts is None else Network.PROXY
