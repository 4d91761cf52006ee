"""Keys of OpenSSH as keys of TUF: Ed25519 only."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.signer import Key, SecretsHandler, Signature, Signer, SSlibKey

from nebula_lab.errors import SignatureError, SshKeyError
from nebula_lab.trust.agent import signer_from_agent
from nebula_lab.trust.key_file import Passphrase, signer_from_file
from nebula_lab.trust.key_lines import read_key_line
from nebula_lab.trust.public_key import PublicKey
from nebula_lab.trust.signer import SshSigner
from nebula_lab.trust.ssh_strings import ssh_string

__all__ = ["RegistrySigner", "signer_from", "public_key_from", "fingerprint"]

_KIND = "ssh-ed25519"
_LARGEST = 64 * 1024


class RegistrySigner(Signer):
    """Signs metadata with a key that OpenSSH's formats or an agent hold.

    Args:
        ssh_signer: holds, or reaches, the private key.

    Raises:
        SshKeyError: the key is not Ed25519.
    """

    def __init__(self, ssh_signer: SshSigner) -> None:
        self._ssh_signer = ssh_signer
        self._public_key = _tuf_key(ssh_signer.public_key)

    @property
    def public_key(self) -> SSlibKey:
        return self._public_key

    def sign(self, payload: bytes) -> Signature:
        signature = self._ssh_signer.raw_signature(payload)
        return Signature(self._public_key.keyid, signature.hex())

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
    ) -> Signer:
        """Keys are named by files here, not by addresses.

        Raises:
            SshKeyError: always.
        """
        raise SshKeyError("keys of a registry are named by their files", path=priv_key_uri)


def signer_from(path: Path, ask: Passphrase) -> RegistrySigner:
    """The signer for a key.

    Args:
        path: the file of the private key; or a `.pub` file, for a key that the SSH agent holds.
        ask: gives the passphrase, and is called only where the key needs one.

    Raises:
        SshKeyError: the key can't be read, is not there, or is not Ed25519.
    """
    found = signer_from_agent(path) if path.suffix == ".pub" else signer_from_file(path, ask)
    if not isinstance(found, SshSigner):
        raise _unfit(found.public_key.kind, path)
    return RegistrySigner(found)


def public_key_from(path: Path) -> SSlibKey:
    """The public key in a `.pub` file.

    Raises:
        SshKeyError: it can't be read, or is not Ed25519.
    """
    try:
        with path.open("rb") as file:
            trusted = read_key_line(file.read(_LARGEST).decode())
    except (OSError, UnicodeDecodeError, SignatureError) as error:
        raise SshKeyError(
            f"the public key can't be read: {error}", path=path, hint="Name the `.pub` file."
        ) from error
    if trusted is None:
        raise SshKeyError("the file has no public key", path=path)
    return _tuf_key(trusted.key, path)


def fingerprint(key: Key) -> str:
    """As `ssh-keygen -l` prints it; of a key that OpenSSH does not have, its name in TUF."""
    if key.keytype != "ed25519":
        return f"{key.keytype}:{key.keyid}"
    blob = ssh_string(_KIND) + ssh_string(bytes.fromhex(key.keyval["public"]))
    return f"SHA256:{base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip('=')}"


def _tuf_key(key: PublicKey, path: Path | None = None) -> SSlibKey:
    if key.kind != _KIND:
        raise _unfit(key.kind, path)
    loaded: Any = Ed25519PublicKey.from_public_bytes(key.fields[0])
    return SSlibKey.from_crypto(loaded)


def _unfit(kind: str, path: Path | None) -> SshKeyError:
    return SshKeyError(
        f"a key of the kind {kind} can't sign a registry",
        path=path,
        hint="Take an Ed25519 key; `nebula-lab keygen FILE` makes one.",
    )
