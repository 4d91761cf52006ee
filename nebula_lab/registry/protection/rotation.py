"""Gives the roles of a registry other keys (TUF specification, section 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta

from securesystemslib.signer import Key
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root

from nebula_lab.errors import RegistryTrustError
from nebula_lab.registry.protection.keys import RegistrySigner, fingerprint
from nebula_lab.registry.protection.places import metadata_path
from nebula_lab.registry.protection.roles import DAYS, Role
from nebula_lab.registry.protection.round import Signing, SigningReport, role_days
from nebula_lab.registry.protection.state import SignedState
from nebula_lab.registry.publishing.folder import RegistryFolder

__all__ = ["change_root"]


def change_root(
    folder: RegistryFolder,
    signers: Sequence[RegistrySigner],
    *,
    add: Mapping[Role, Sequence[Key]] | None = None,
    remove: Mapping[Role, Sequence[str]] | None = None,
    thresholds: Mapping[Role, int] | None = None,
    days: Mapping[Role, int] | None = None,
    now: datetime | None = None,
) -> SigningReport:
    """Sign the next root, and with the same keys what does not hold under it any more.

    Without a change, that renews the root before it expires.

    Args:
        folder: the registry.
        signers: enough keys of the root as it was, and of the root as it will be: so clients can
            follow from one to the other.
        add: public keys that get a role.
        remove: fingerprints of keys that lose one.
        thresholds: how many keys have to sign for a role.
        days: how long a statement of a role holds.
        now: the time to count from; the present without.

    Raises:
        RegistryTrustError: the keys do not suffice, one to remove is not there, or a role would be
            left with too few.
    """
    with folder.changing() as change:
        state = SignedState.read(folder.root)
        metadata = _next_root(state.root.signed, add, remove, thresholds, days)
        moment = (now or datetime.now(UTC)).replace(microsecond=0)
        root = metadata.signed
        root.expires = moment + timedelta(days=role_days(root, Role.ROOT))
        _sign(metadata, state.root.signed, signers)
        change.put(metadata_path(Role.ROOT, root.version), metadata.to_bytes())
        state = SignedState(metadata, state.targets, state.snapshot, state.timestamp)
        signing = Signing(change, state, [s for s in signers if s.public_key.keyid in root.keys])
        report = signing.freshness()
        return SigningReport((Role.ROOT, *report.signed), report.waiting, report.expires)


def _next_root(
    before: Root,
    add: Mapping[Role, Sequence[Key]] | None,
    remove: Mapping[Role, Sequence[str]] | None,
    thresholds: Mapping[Role, int] | None,
    days: Mapping[Role, int] | None,
) -> Metadata[Root]:
    root = deepcopy(before)
    root.version += 1
    for role, keys in (add or {}).items():
        for key in keys:
            root.add_key(key, role)
    for role, fingerprints in (remove or {}).items():
        for one in fingerprints:
            root.revoke_key(_keyid(root, role, one), role)
    for role, threshold in (thresholds or {}).items():
        root.roles[role].threshold = threshold
    for role, count in (days or {}).items():
        root.roles[role].unrecognized_fields[DAYS] = count
    for role in Role:
        known = root.roles[role]
        if not 1 <= known.threshold <= len(known.keyids):
            raise RegistryTrustError(
                f"the role {role} would need {known.threshold} signatures, and have "
                f"{len(known.keyids)} keys",
                hint="Add a key, or lower the threshold.",
            )
    return Metadata(root)


def _keyid(root: Root, role: Role, wanted: str) -> str:
    for keyid in root.roles[role].keyids:
        if fingerprint(root.keys[keyid]) == wanted:
            return keyid
    raise RegistryTrustError(
        f"no key of the role {role} has the fingerprint {wanted}",
        hint="`nebula-lab registry root DIR` shows the keys.",
    )


def _sign(metadata: Metadata[Root], before: Root, signers: Sequence[RegistrySigner]) -> None:
    roots = (before, metadata.signed)
    for signer in signers:
        keyid = signer.public_key.keyid
        if any(keyid in root.roles[Role.ROOT].keyids for root in roots):
            metadata.sign(signer, append=True)
    for root, which in zip(roots, ("as it was", "as it will be"), strict=True):
        try:
            root.verify_delegate(Role.ROOT, metadata.signed_bytes, metadata.signatures)
        except RepositoryError as error:
            known = root.roles[Role.ROOT]
            names = " or ".join(sorted(fingerprint(root.keys[one]) for one in known.keyids))
            raise RegistryTrustError(
                f"it takes {known.threshold} of the keys of the root {which}: {names}",
                hint="Give each file with --key.",
            ) from error
