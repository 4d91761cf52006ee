"""The first meeting with a registry: whose keys are these?"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from tuf.api.metadata import Metadata, Root

from nebula_lab.errors import RegistryTrustError
from nebula_lab.registry.protection.explaining import explained
from nebula_lab.registry.protection.keys import fingerprint
from nebula_lab.registry.protection.memory import RegistryMemory
from nebula_lab.registry.protection.places import metadata_path
from nebula_lab.registry.protection.roles import Role, RoleKeys
from nebula_lab.registry.protection.session import open_session
from nebula_lab.registry.protection.transport import LARGEST, Transport

__all__ = ["RootOffer", "ask_root", "role_keys"]


class RootOffer(Struct, frozen=True):
    """The keys that a registry says are its own.

    Attributes:
        url: the registry.
        version: how often they have been changed or renewed, counted from 1.
        expires: until when that holds.
        roles: who has which role.
        content: the signed statement, to be remembered if the user trusts it.
    """

    url: str
    version: int
    expires: datetime
    roles: Mapping[Role, RoleKeys]
    content: bytes


def ask_root(url: str, transport: Transport) -> RootOffer:
    """Ask a registry for its keys, and check that what it says now is signed by them.

    Nothing is remembered, and nothing proves yet whose keys they are.

    Raises:
        RegistryTrustError: the registry is not protected, or is wrong in itself.
        RegistryError: it can't be asked.
    """
    first = transport(metadata_path(Role.ROOT, 1), LARGEST)
    if first is None:
        raise RegistryTrustError(
            "this registry is not signed",
            path=url,
            hint="Whoever keeps it can begin with `nebula-lab registry init`.",
        )
    with tempfile.TemporaryDirectory(prefix="nebula-lab-") as base:
        memory = RegistryMemory(url, Path(base))
        session = open_session(memory, transport, first)
        if session.problem is not None:
            raise session.problem
        # Every change of keys since the first was signed by those before; this is the last of them.
        content = (memory.metadata / "root.json").read_bytes()
    with explained(url):
        root: Root = Metadata[Root].from_bytes(content).signed
    return RootOffer(url, root.version, root.expires, role_keys(root), content)


def role_keys(root: Root) -> dict[Role, RoleKeys]:
    """Who has which role, as a root says."""
    return {
        role: RoleKeys(
            tuple(sorted(fingerprint(root.keys[one]) for one in root.roles[role].keyids)),
            root.roles[role].threshold,
        )
        for role in Role
    }
