"""One round of signatures over a registry: which statements are due, and who can sign them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from nebula_lab.errors import RegistryTrustError
from nebula_lab.registry.format.paths import INDEX
from nebula_lab.registry.protection.continuity import check_offer, offered_versions
from nebula_lab.registry.protection.keys import RegistrySigner, fingerprint
from nebula_lab.registry.protection.places import metadata_path, signed_copy
from nebula_lab.registry.protection.pruning import prune
from nebula_lab.registry.protection.roles import DAYS, USUAL_DAYS, Role
from nebula_lab.registry.protection.state import AnySigned, SignedState
from nebula_lab.registry.publishing.changes import Change
from nebula_lab.registry.publishing.folder import RegistryFolder, is_document

__all__ = ["Signing", "SigningReport", "role_days"]


class SigningReport(Struct, frozen=True):
    """What came of signing.

    Attributes:
        signed: the roles that have a new statement.
        waiting: roles whose statement does not hold, with what it takes to sign it.
        expires: when each role's statement ends to hold.
    """

    signed: tuple[Role, ...]
    waiting: Mapping[Role, str]
    expires: Mapping[Role, datetime]


class Signing:
    """One round of signatures over a registry.

    Args:
        change: takes what was signed.
        state: what was signed before.
        signers: private keys.
        now: the time to count from; the present without.

    Raises:
        RegistryTrustError: one of the keys has no role there.
    """

    def __init__(
        self,
        change: Change,
        state: SignedState,
        signers: Sequence[RegistrySigner],
        now: datetime | None = None,
    ) -> None:
        self._change = change
        self._state = state
        self._root = state.root.signed
        self._signers = {signer.public_key.keyid: signer for signer in signers}
        self._now = (now or datetime.now(UTC)).replace(microsecond=0)
        self._signed: list[Role] = []
        self._waiting: dict[Role, str] = {}
        self._expires: dict[Role, datetime] = {Role.ROOT: self._root.expires}
        for signer in signers:
            if signer.public_key.keyid not in self._root.keys:
                raise RegistryTrustError(
                    f"the key {fingerprint(signer.public_key)} has no role in this registry",
                    hint="`nebula-lab registry root DIR` shows the keys that have.",
                )

    def documents(self, folder: RegistryFolder) -> SigningReport:
        """Sign the documents as they are or will be, and then the rest."""
        current = self._state.targets
        before = {} if current is None else current.signed.targets
        contents = self._contents(folder)
        offered = {
            path: TargetFile.from_data(path, content, ["sha256"])
            for path, content in contents.items()
        }
        changed = {
            path for path in before.keys() | offered if before.get(path) != offered.get(path)
        }
        if not changed and self._holds(Role.TARGETS, current):
            return self.freshness()
        self._check_continuity(folder, {p: t for p, t in before.items() if p in changed}, contents)
        targets = Targets(targets=offered)
        made = self.put(Role.TARGETS, targets, after=current)
        if made is None:
            return self.freshness()
        for path, target in offered.items():
            copy = signed_copy(path, target.hashes["sha256"])
            if path in changed or not (folder.root / copy).is_file():
                self._change.put(copy, contents[path])
        prune(folder.root, offered, before, self._state)
        return self.freshness(made)

    def freshness(self, targets: Metadata[Targets] | None = None) -> SigningReport:
        """Sign which statements are the newest ones."""
        targets = self._statement(Role.TARGETS, targets or self._state.targets)
        snapshot = self._statement(Role.SNAPSHOT, self._with_snapshot(targets))
        self._statement(Role.TIMESTAMP, self._with_timestamp(snapshot))
        return SigningReport(tuple(self._signed), self._waiting, self._expires)

    def put(
        self, role: Role, signed: AnySigned, after: Metadata[AnySigned] | None
    ) -> Metadata[AnySigned] | None:
        """Sign the version of a statement that comes `after` another.

        Returns:
            It; None where the keys at hand do not suffice.
        """
        known = self._root.roles[role]
        signers = [s for keyid, s in self._signers.items() if keyid in known.keyids]
        if len(signers) < known.threshold:
            self._waiting[role] = self._wanted(role, len(signers))
            return None
        signed.version = 1 if after is None else after.signed.version + 1
        signed.expires = self._now + timedelta(days=role_days(self._root, role))
        metadata = Metadata(signed)
        for signer in signers:
            metadata.sign(signer, append=True)
        self._root.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
        self._change.put(metadata_path(role, signed.version), metadata.to_bytes())
        self._signed.append(role)
        self._expires[role] = signed.expires
        return metadata

    def _contents(self, folder: RegistryFolder) -> dict[str, bytes]:
        """Each document as it is once the change has happened."""
        contents = folder.documents()
        for path in filter(is_document, self._change.paths):
            content = self._change.content(path)
            assert content is not None
            contents[path] = content
        return contents

    def _check_continuity(
        self,
        folder: RegistryFolder,
        before: Mapping[str, TargetFile],
        contents: Mapping[str, bytes],
    ) -> None:
        for path, target in before.items():
            if path == INDEX:
                continue
            was = folder.root / signed_copy(path, target.hashes["sha256"])
            check_offer(
                path.rpartition("/")[2].removesuffix(".json"),
                offered_versions(was.read_bytes() if was.is_file() else None, path),
                offered_versions(contents.get(path), path),
                path=folder.root / path,
                hint="Put it back; `nebula-lab registry yank` withdraws a version and says so.",
            )

    def _with_snapshot(self, targets: Metadata[Targets] | None) -> Metadata[Snapshot] | None:
        current = self._state.snapshot
        if targets is None:
            return current
        info = MetaFile(targets.signed.version)
        before = None if current is None else current.signed.meta.get("targets.json")
        if before == info and self._holds(Role.SNAPSHOT, current):
            return current
        snapshot = Snapshot(meta={"targets.json": info})
        return self.put(Role.SNAPSHOT, snapshot, after=current) or current

    def _with_timestamp(self, snapshot: Metadata[Snapshot] | None) -> Metadata[Timestamp] | None:
        current = self._state.timestamp
        if snapshot is None:
            return current
        info = MetaFile(snapshot.signed.version)
        before = None if current is None else current.signed.snapshot_meta
        if before == info and self._holds(Role.TIMESTAMP, current):
            return current
        timestamp = Timestamp(snapshot_meta=info)
        return self.put(Role.TIMESTAMP, timestamp, after=current) or current

    def _statement(
        self, role: Role, metadata: Metadata[AnySigned] | None
    ) -> Metadata[AnySigned] | None:
        """A statement if it is one that clients will take; else it waits for a signature."""
        if metadata is not None:
            self._expires[role] = metadata.signed.expires
        if not self._state.vouches(role, metadata):
            self._waiting.setdefault(role, self._wanted(role, 0))
            return None
        return metadata

    def _holds(self, role: Role, metadata: Metadata[AnySigned] | None) -> bool:
        """Whether a statement needs no other one yet: it is vouched for, and half its time is left.

        What no key at hand could sign anew holds for as long as it is vouched for.
        """
        if metadata is None or not self._state.vouches(role, metadata):
            return False
        if not any(keyid in self._signers for keyid in self._root.roles[role].keyids):
            return True
        return metadata.signed.expires - self._now > timedelta(days=role_days(self._root, role)) / 2

    def _wanted(self, role: Role, given: int) -> str:
        known = self._root.roles[role]
        names = " or ".join(sorted(fingerprint(self._root.keys[one]) for one in known.keyids))
        count = f"{known.threshold} keys" if known.threshold > 1 else "a key"
        return f"it takes {count} of {names}" + (f"; {given} given" if given else "")


def role_days(root: Root, role: Role) -> int:
    """For how many days a statement of a role holds, as its root says."""
    days = root.roles[role].unrecognized_fields.get(DAYS)
    return days if isinstance(days, int) and days > 0 else USUAL_DAYS[role]
