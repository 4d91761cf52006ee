"""The signed metadata in the folder of a registry, as it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from nebula_lab.errors import RegistryTrustError
from nebula_lab.registry.protection.places import metadata_path
from nebula_lab.registry.protection.roles import Role

__all__ = ["AnySigned", "SignedState"]

AnySigned = TypeVar("AnySigned", Root, Timestamp, Snapshot, Targets)

_VERSIONED = re.compile(r"(?P<version>[1-9][0-9]{0,9})\.(?P<role>root|targets|snapshot)\.json")


class SignedState(Struct, frozen=True):
    """What was signed last; None where nothing was yet.

    Attributes:
        root: who has which role.
        targets: what is offered.
        snapshot: which statements belong together.
        timestamp: which of these is the newest.
    """

    root: Metadata[Root]
    targets: Metadata[Targets] | None
    snapshot: Metadata[Snapshot] | None
    timestamp: Metadata[Timestamp] | None

    @classmethod
    def read(cls, folder: Path) -> SignedState:
        """Read it from the folder of a registry.

        Raises:
            RegistryTrustError: nothing is signed there, or what is can't be read.
        """
        newest: dict[str, int] = {}
        for path in (folder / "metadata").glob("*.json"):
            if found := _VERSIONED.fullmatch(path.name):
                newest[found["role"]] = max(newest.get(found["role"], 0), int(found["version"]))
        if Role.ROOT not in newest:
            raise RegistryTrustError(
                "nothing is signed in this registry",
                path=folder,
                hint=f"Begin with `nebula-lab registry init {folder}`.",
            )
        versions = {role: newest.get(role, 0) for role in Role}
        root = _read(folder, Role.ROOT, versions[Role.ROOT], Root)
        assert root is not None
        return cls(
            root,
            _read(folder, Role.TARGETS, versions[Role.TARGETS], Targets),
            _read(folder, Role.SNAPSHOT, versions[Role.SNAPSHOT], Snapshot),
            _read(folder, Role.TIMESTAMP, 0, Timestamp),
        )

    def vouches(self, role: Role, metadata: Metadata[Any] | None) -> bool:
        """Whether a statement has the signatures that the root asks for."""
        if metadata is None:
            return False
        try:
            self.root.signed.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
        except RepositoryError:
            return False
        return True


def _read(
    folder: Path, role: Role, version: int, kind: type[AnySigned]
) -> Metadata[AnySigned] | None:
    path = folder / metadata_path(role, version)
    if not path.is_file():
        return None
    try:
        metadata: Metadata[AnySigned] = Metadata.from_bytes(path.read_bytes())
    except (OSError, DeserializationError) as error:
        raise RegistryTrustError(
            f"what is signed there can't be read: {error}",
            path=path,
            hint="Have it back from a copy of the registry.",
        ) from error
    if not isinstance(metadata.signed, kind):
        raise RegistryTrustError(f"is no statement of the role {role}", path=path)
    return metadata
