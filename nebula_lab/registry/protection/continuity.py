"""What a registry once offered it goes on offering, as it was; withdrawn versions say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from nebula_lab.errors import RegistryTrustError

__all__ = ["Offered", "check_offer", "offered_versions"]


class Offered(Struct, frozen=True):
    """One version, as far as it must not change.

    Attributes:
        archive: SHA-256 of its archive, in hexadecimal.
        yanked: whether it has been withdrawn.
    """

    archive: str
    yanked: bool = False


class _Archive(Struct):
    sha256: str


class _Version(Struct):
    version: str
    archive: _Archive
    yanked: str | None = None


class _Document(Struct):
    versions: list[_Version]


def offered_versions(document: bytes | None, path: str) -> dict[str, Offered]:
    """The versions in what a registry says of a plugin; none where it says nothing any more.

    Raises:
        RegistryTrustError: the document can't be read.
    """
    if document is None:
        return {}
    try:
        decoded = msgspec.json.decode(document, type=_Document)
    except msgspec.DecodeError as error:
        raise RegistryTrustError(
            f"{path} of the registry can't be read: {error}",
            hint="Tell whoever keeps the registry.",
        ) from error
    return {
        one.version: Offered(one.archive.sha256, one.yanked is not None) for one in decoded.versions
    }


def check_offer(
    plugin_id: str,
    before: Mapping[str, Offered],
    after: Mapping[str, Offered],
    **where: Any,
) -> None:
    """Compare what is offered of a plugin with what was.

    A version that somebody takes away unseen is one that its users can't have again, or an older
    one that they are to take instead; one that has other files now is not what was looked at.

    Args:
        plugin_id: the plugin.
        before: its versions when they were last seen.
        after: its versions now.
        where: what the error is to say of the place.

    Raises:
        RegistryTrustError: a version has vanished without having been yanked, or has another
            archive.
    """
    gone = [v for v, one in before.items() if v not in after and not one.yanked]
    other = [v for v, one in before.items() if v in after and after[v].archive != one.archive]
    for versions, what in ((gone, "vanished without being yanked"), (other, "other files now")):
        if versions:
            listed = ", ".join(versions[:5]) + (", …" if len(versions) > 5 else "")
            verb = "has" if len(versions) == 1 else "have"
            raise RegistryTrustError(f"{listed} {verb} {what}", plugin_id=plugin_id, **where)
