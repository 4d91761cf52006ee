"""Who vouches for what in a registry, and for how long (TUF specification, section 2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

__all__ = ["Role", "RoleKeys", "ONLINE", "USUAL_DAYS", "DAYS"]


class Role(StrEnum):
    """A task that keys are given to."""

    ROOT = "root"  # says which keys have the other roles
    TARGETS = "targets"  # says what the registry offers
    SNAPSHOT = "snapshot"  # says which statements belong together
    TIMESTAMP = "timestamp"  # says that this is the newest of them


class RoleKeys(Struct, frozen=True):
    """Who has a role.

    Attributes:
        fingerprints: of its keys, as `ssh-keygen -l` prints them.
        threshold: how many of them have to sign.
    """

    fingerprints: tuple[str, ...]
    threshold: int


# Keys of these do no more than keep what was said fresh, so a server may hold them.
ONLINE = (Role.SNAPSHOT, Role.TIMESTAMP)
# How long a statement holds. Who is kept from newer ones is kept for a week at most.
USUAL_DAYS: Mapping[Role, int] = {
    Role.ROOT: 365,
    Role.TARGETS: 365,
    Role.SNAPSHOT: 365,
    Role.TIMESTAMP: 7,
}
# Where the signed root says how long each role's statements hold; the specification has no field.
DAYS = "x-nebula-lab-days"
