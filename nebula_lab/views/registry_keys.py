"""Who may sign what in a registry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from nebula_lab.registry.protection.roles import Role, RoleKeys
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.table import Column, Table

_MEANINGS: Mapping[Role, str] = {
    Role.ROOT: "who has which key",
    Role.TARGETS: "what is offered",
    Role.SNAPSHOT: "which state is whole",
    Role.TIMESTAMP: "which state is the newest",
}


def registry_keys(
    roles: Mapping[Role, RoleKeys], expires: Mapping[Role, datetime] | None = None
) -> Rendered:
    """The keys of each role.

    Args:
        roles: who has which role.
        expires: until when what each role signed last holds; None where nobody asks.
    """
    rows: list[tuple[str, ...]] = []
    for role, known in roles.items():
        signs = f"{known.threshold} of {len(known.fingerprints)}"
        about = [role.value, _MEANINGS[role], signs]
        if expires is not None:
            about.append(_until(expires.get(role)))
        for fingerprint in known.fingerprints:
            rows.append((*about, fingerprint))
            about = [""] * len(about)
    headings = ["role", "says", "signs", *([] if expires is None else ["until (UTC)"]), "key"]
    columns = [Column(one) for one in headings]
    return Table("Keys of the registry", columns, rows, "No keys.").rendered()


def _until(moment: datetime | None) -> str:
    return "not signed" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
