"""Signs what a registry offers, and keeps what was signed fresh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from securesystemslib.signer import Key
from tuf.api.metadata import Metadata, Root

from nebula_lab.errors import RegistryTrustError
from nebula_lab.registry.protection.keys import RegistrySigner
from nebula_lab.registry.protection.places import is_protected
from nebula_lab.registry.protection.roles import DAYS, USUAL_DAYS, Role
from nebula_lab.registry.protection.round import Signing, SigningReport
from nebula_lab.registry.protection.state import SignedState
from nebula_lab.registry.publishing.changes import Change
from nebula_lab.registry.publishing.folder import RegistryFolder

__all__ = ["initialise", "refresh", "sign", "sign_within", "standing"]


def initialise(
    folder: RegistryFolder,
    keys: Mapping[Role, Sequence[Key]],
    signers: Sequence[RegistrySigner],
    *,
    days: Mapping[Role, int] = USUAL_DAYS,
    now: datetime | None = None,
) -> SigningReport:
    """Give each role its keys, and sign what the registry offers as far as `signers` can.

    Args:
        folder: the registry.
        keys: the public keys of each role; any one of them is enough.
        signers: private keys, among them one of the root.
        days: how long a statement of each role holds.
        now: the time to count from; the present without.

    Raises:
        RegistryTrustError: it has been done already, or there is no key of the root.
    """
    with folder.changing() as change:
        if is_protected(folder.root):
            raise RegistryTrustError(
                "this registry has its keys already",
                path=folder.metadata,
                hint="Change them with `nebula-lab registry root`.",
            )
        root = Root(consistent_snapshot=True)
        for role in Role:
            for key in keys[role]:
                root.add_key(key, role)
            root.roles[role].unrecognized_fields[DAYS] = days[role]
        state = SignedState(Metadata(root), None, None, None)
        signing = Signing(change, state, signers, now)
        if signing.put(Role.ROOT, root, after=None) is None:
            raise RegistryTrustError(
                "the private key of the root is missing", hint="Give its file with --key."
            )
        return signing.documents(folder)


def sign(
    folder: RegistryFolder, signers: Sequence[RegistrySigner], *, now: datetime | None = None
) -> SigningReport:
    """Sign what the registry offers now, and keep the rest fresh, as far as `signers` can.

    Raises:
        RegistryTrustError: nothing was ever signed there, a version has vanished or changed since
            it was signed, or a key has no role there.
    """
    with folder.changing() as change:
        return sign_within(change, folder, signers, now=now)


def sign_within(
    change: Change,
    folder: RegistryFolder,
    signers: Sequence[RegistrySigner],
    *,
    now: datetime | None = None,
) -> SigningReport:
    """As `sign`, as a part of a change that is under way."""
    return Signing(change, SignedState.read(folder.root), signers, now).documents(folder)


def refresh(
    folder: RegistryFolder, signers: Sequence[RegistrySigner], *, now: datetime | None = None
) -> SigningReport:
    """Keep fresh what was signed, and sign nothing new; as `sign`."""
    with folder.changing() as change:
        return Signing(change, SignedState.read(folder.root), signers, now).freshness()


def standing(state: SignedState) -> dict[Role, datetime]:
    """Until when what each role signed last holds; without those whose statement does not."""
    statements = {
        Role.ROOT: state.root,
        Role.TARGETS: state.targets,
        Role.SNAPSHOT: state.snapshot,
        Role.TIMESTAMP: state.timestamp,
    }
    return {
        role: metadata.signed.expires
        for role, metadata in statements.items()
        if metadata is not None and state.vouches(role, metadata)
    }
