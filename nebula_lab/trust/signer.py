"""What can sign, whichever way it does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from nebula_lab.errors import SshKeyError
from nebula_lab.trust.public_key import PublicKey
from nebula_lab.trust.ssh_strings import SshReader
from nebula_lab.trust.sshsig import NAMESPACE, SshSignature, signed_data

__all__ = ["HASH_NAME", "Signer", "SshSigner"]

HASH_NAME = "sha512"


class Signer(Protocol):
    """Holds, or reaches, a private key."""

    @property
    def public_key(self) -> PublicKey:
        """The key that its signatures are checked with."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The armored signature of a message, for the namespace of plugins.

        Raises:
            SshKeyError: the key can't be used.
        """
        ...


class SshSigner:
    """Signs with a function that makes the signature blob of SSH for some data."""

    def __init__(self, public_key: PublicKey, make_blob: Callable[[bytes], bytes]) -> None:
        self._public_key = public_key
        self._make_blob = make_blob

    @property
    def public_key(self) -> PublicKey:
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        blob = self._make_blob(signed_data(message, HASH_NAME))
        return SshSignature(self._public_key.blob, NAMESPACE, HASH_NAME, blob).armored()

    def raw_signature(self, data: bytes) -> bytes:
        """The bare Ed25519 signature of some data (RFC 8032), for formats that are not SSH's.

        Whoever calls it sees to it that `data` can't be taken for what SSH signs: `signed_data`
        begins with "SSHSIG", a login with the length of a session's id.

        Raises:
            SshKeyError: the key is of another kind, or can't be used.
        """
        if self._public_key.kind != "ssh-ed25519":
            raise SshKeyError(
                f"a key of the kind {self._public_key.kind} can't sign this",
                hint="Take an Ed25519 key; `nebula-lab keygen FILE` makes one.",
            )
        reader = SshReader(self._make_blob(data))
        reader.name()
        signature = reader.string()
        reader.end()
        return signature
