"""What can sign, whichever way it does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from nebula_lab.trust.public_key import PublicKey
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
