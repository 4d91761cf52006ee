"""OpenSSH's public keys as values; `schemes` does the arithmetic with them."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Self

from msgspec import Struct

from nebula_lab.errors import SignatureError
from nebula_lab.trust.ssh_strings import SshReader

__all__ = ["PublicKey"]

# How many fields follow the name of the kind.
_FIELDS: Mapping[str, int] = {
    "ssh-ed25519": 1,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "ssh-rsa": 2,
    "sk-ssh-ed25519@openssh.com": 2,
    "sk-ecdsa-sha2-nistp256@openssh.com": 3,
}
_CERTIFICATE = "-cert-v01@openssh.com"


class PublicKey(Struct, frozen=True):
    """A public key of a kind that can sign plugins.

    Attributes:
        kind: such as "ssh-ed25519".
        blob: the key in SSH's own encoding; two keys are the same if their blobs are.
        fields: what follows the kind in the blob.
    """

    kind: str
    blob: bytes
    fields: tuple[bytes, ...]

    @classmethod
    def from_blob(cls, blob: bytes) -> Self:
        """Read a key from its blob.

        Raises:
            SignatureError: it is none, or of a kind that can't sign plugins.
        """
        reader = SshReader(blob)
        kind = reader.name()
        if kind.endswith(_CERTIFICATE):
            raise SignatureError(
                f"{kind} is a certificate, and certificates are not taken here",
                hint="Sign with the key itself, and trust the key itself.",
            )
        if kind not in _FIELDS:
            raise SignatureError(
                f"keys of the kind {kind[:60]!r} are not taken",
                hint="Take an Ed25519, ECDSA or RSA key, or one on a security key (sk-…).",
            )
        fields = tuple(reader.string() for _ in range(_FIELDS[kind]))
        reader.end()
        return cls(kind, blob, fields)

    @classmethod
    def from_text(cls, base64_text: str) -> Self:
        """Read a key from its blob in base64; as `from_blob`."""
        try:
            return cls.from_blob(base64.b64decode(base64_text, validate=True))
        except (binascii.Error, ValueError) as error:
            raise SignatureError("it is not the base64 of a public key") from error

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it."""
        digest = hashlib.sha256(self.blob).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"

    @property
    def line(self) -> str:
        """As a `.pub` file has it, without a comment."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"
