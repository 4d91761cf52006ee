"""What came of looking at a plugin's signature."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from nebula_lab.plugin.showing import mime_bundle

__all__ = ["SignatureStatus", "Difference", "SignatureReport"]


class SignatureStatus(StrEnum):
    """Where a plugin stands."""

    SIGNED = "signed"
    UNSIGNED = "unsigned"
    UNTRUSTED = "untrusted"
    MODIFIED = "modified"
    INVALID = "invalid"


class Difference(Struct, frozen=True):
    """One file that is not as it was signed.

    Attributes:
        path: where it is, relative to the folder that holds the plugin.
        change: "changed", "missing" or "added".
    """

    path: str
    change: str

    def __str__(self) -> str:
        return f"{self.path} ({self.change})"


class SignatureReport(Struct, frozen=True):
    """What is known of a plugin's signature.

    Attributes:
        status: where it stands.
        plugin_id: the plugin.
        path: the list of files that is signed, or would be.
        message: what was found, in words.
        cure: what to do about it; empty for a plugin that is signed.
        signer: who signed, by the name under which the key is trusted; empty where it is not.
        fingerprint: of the key that signed, as `ssh-keygen -l` prints it; empty where unknown.
        key_kind: of that key, such as "ssh-ed25519".
        differences: the files that are not as they were signed.
    """

    status: SignatureStatus
    plugin_id: str
    path: Path
    message: str
    cure: str = ""
    signer: str = ""
    fingerprint: str = ""
    key_kind: str = ""
    differences: tuple[Difference, ...] = ()

    _repr_mimebundle_ = mime_bundle

    @property
    def is_good(self) -> bool:
        """Whether a key that is trusted has signed just these files."""
        return self.status is SignatureStatus.SIGNED
