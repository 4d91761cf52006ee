"""From a plugin's bytes and whom to trust to a report; nothing is read from disk in here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from msgspec import Struct

from nebula_lab.errors import SignatureError
from nebula_lab.trust.contents import CollectedPlugin
from nebula_lab.trust.key_lines import TrustedKey
from nebula_lab.trust.public_key import PublicKey
from nebula_lab.trust.report import Difference, SignatureReport, SignatureStatus
from nebula_lab.trust.sshsig import NAMESPACE, SshSignature, parse_signature, signed_data
from nebula_lab.trust.sums import SignedFiles

__all__ = ["TrustPolicy", "verify"]

_SHOWN = 5
_SIGN = "Sign it with `nebula-lab sign {place} --key KEY`"
_AGAIN = "Get the plugin anew from whoever signed it, or sign it yourself if you trust it."


class TrustPolicy(Struct, frozen=True):
    """Whose signatures count.

    Attributes:
        trusted: the keys.
        revoked: blobs of keys that count no longer, whatever else trusts them.
        at: the time to judge by, in seconds since 1970; None is now.
    """

    trusted: tuple[TrustedKey, ...] = ()
    revoked: frozenset[bytes] = frozenset()
    at: float | None = None


def verify(collected: CollectedPlugin, policy: TrustPolicy) -> SignatureReport:
    """Hold a plugin's files against its signature, and whoever made that against the policy.

    Never raises for what is in the files: whatever is wrong there is in the report.
    """
    return _Verification(collected, policy).report()


class _Stopped(Exception):  # noqa: N818 - it carries the answer, which need not be bad
    def __init__(self, report: SignatureReport) -> None:
        super().__init__()
        self.report = report


class _Verification:
    def __init__(self, collected: CollectedPlugin, policy: TrustPolicy) -> None:
        self._collected = collected
        self._policy = policy
        self._place = collected.folder / collected.files.source
        self._key: PublicKey | None = None
        self._signer = ""

    def report(self) -> SignatureReport:
        try:
            signed_list, signature = self._what_is_there()
            self._check_signature(signed_list, signature)
            self._check_trust()
            self._check_files(signed_list)
        except _Stopped as stopped:
            return stopped.report
        return self._report(SignatureStatus.SIGNED, f"signed by {self._signer or 'a trusted key'}")

    def _what_is_there(self) -> tuple[bytes, bytes]:
        collected = self._collected
        signed_list = collected.contents.get(collected.signed_list)
        signature = collected.contents.get(f"{collected.signed_list}.sig")
        if signature is None:
            said = "it is not signed" if signed_list is None else "its list of files is not signed"
            self._stop(SignatureStatus.UNSIGNED, said, _SIGN.format(place=self._place) + ".")
        if signed_list is None:
            self._stop(
                SignatureStatus.INVALID,
                f"it has a signature, but not {collected.signed_list}, which that is for",
                _AGAIN,
            )
        assert signed_list is not None
        assert signature is not None
        return signed_list, signature

    def _check_signature(self, signed_list: bytes, text: bytes) -> None:
        from nebula_lab.trust.schemes import check_signature

        try:
            signature = parse_signature(text)
            self._check_namespace(signature)
            self._key = PublicKey.from_blob(signature.public_key)
            check_signature(
                self._key, signature.signature, signed_data(signed_list, signature.hash_name)
            )
        except SignatureError as error:
            self._stop(
                SignatureStatus.INVALID,
                f"its signature is worth nothing: {error.message}",
                error.hint or _AGAIN,
            )

    def _check_namespace(self, signature: SshSignature) -> None:
        if signature.namespace != NAMESPACE:
            raise SignatureError(
                f"it was made for {signature.namespace[:60]!r}, not for {NAMESPACE!r}",
                hint=f"Sign with `ssh-keygen -Y sign -n {NAMESPACE}`, or with `nebula-lab sign`.",
            )

    def _check_trust(self) -> None:
        key = self._key
        assert key is not None
        if key.blob in self._policy.revoked:
            self._untrusted("has been revoked", "Sign the plugin with another key.")
        lines = [one for one in self._policy.trusted if one.key.blob == key.blob]
        if not lines:
            self._untrusted(
                "is not trusted",
                "If you trust its owner, add this to security.trusted_keys: " + key.line,
            )
        now = time.time() if self._policy.at is None else self._policy.at
        objections = [(one, one.objection(now)) for one in lines]
        good = [one for one, objection in objections if not objection]
        if not good:
            self._signer = lines[0].name
            self._untrusted(
                objections[0][1], "Sign the plugin anew, or correct the line that trusts the key."
            )
        self._signer = good[0].name

    def _check_files(self, signed_list: bytes) -> None:
        collected = self._collected
        now = SignedFiles.of(collected)
        try:
            then = SignedFiles.parse(signed_list)
        except SignatureError as error:
            self._stop(SignatureStatus.INVALID, f"{collected.signed_list} {error.message}", _AGAIN)
        if then.plugin_id != now.plugin_id:
            self._stop(
                SignatureStatus.INVALID,
                f"what was signed is the plugin {then.plugin_id!r}, not this one",
                _AGAIN,
            )
        if collected.description is None:
            self._stop(
                SignatureStatus.INVALID,
                "what it may do is said in a file that is not signed with it",
                f"Put its manifest beside {self._place} or into it, and sign it again.",
            )
        differences = then.differences(now)
        if differences or then.version != now.version:
            self._modified(then, now, differences)

    def _modified(
        self, then: SignedFiles, now: SignedFiles, differences: Sequence[Difference]
    ) -> None:
        shown = ", ".join(map(str, differences[:_SHOWN]))
        more = f" and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
        versions = f"the version, {then.version}, is now {now.version}"
        self._stop(
            SignatureStatus.MODIFIED,
            f"it has been changed since it was signed: {shown or versions}{more}",
            f"If the changes are yours, sign it again with `nebula-lab sign {self._place} "
            "--key KEY`; while you work on it, security.development lets it load. Otherwise get "
            "the plugin anew.",
            tuple(differences),
        )

    def _untrusted(self, why: str, cure: str) -> NoReturn:
        assert self._key is not None
        self._stop(
            SignatureStatus.UNTRUSTED,
            f"the key that signed it, {self._key.fingerprint}, {why}",
            cure,
        )

    def _stop(
        self,
        status: SignatureStatus,
        message: str,
        cure: str,
        differences: tuple[Difference, ...] = (),
    ) -> NoReturn:
        raise _Stopped(self._report(status, message, cure, differences))

    def _report(
        self,
        status: SignatureStatus,
        message: str,
        cure: str = "",
        differences: tuple[Difference, ...] = (),
    ) -> SignatureReport:
        collected, key = self._collected, self._key
        return SignatureReport(
            status,
            collected.plugin_id,
            Path(collected.folder, collected.signed_list),
            message,
            cure,
            self._signer,
            key.fingerprint if key else "",
            key.kind if key else "",
            differences,
        )
