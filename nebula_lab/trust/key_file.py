"""Private keys in files, as ssh-keygen makes them."""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from nebula_lab.errors import SignatureError, SshKeyError
from nebula_lab.trust.public_key import PublicKey
from nebula_lab.trust.schemes import check_rsa_size
from nebula_lab.trust.signer import Signer, SshSigner
from nebula_lab.trust.ssh_keygen import SshKeygenSigner
from nebula_lab.trust.ssh_strings import SshReader, ssh_mpint, ssh_string

__all__ = ["Passphrase", "signer_from_file"]

Passphrase = Callable[[], str]

_LARGEST = 256 * 1024
_MAGIC = b"openssh-key-v1\0"
_ARMOR = re.compile(
    rb"\s*-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)"
    rb"-----END OPENSSH PRIVATE KEY-----\s*"
)
_CURVE_HASHES: Mapping[int, hashes.HashAlgorithm] = {
    256: hashes.SHA256(),
    384: hashes.SHA384(),
    521: hashes.SHA512(),
}


def signer_from_file(path: Path, ask: Passphrase) -> Signer:
    """A signer for the private key in a file.

    Args:
        path: the file, in OpenSSH's format.
        ask: gives the passphrase, and is called only where the key needs one.

    Raises:
        SshKeyError: it can't be read, others may read it too, or its kind can't sign plugins.
    """
    content = _read(path)
    public_key, encrypted = _outside(content, path)
    if public_key.kind.startswith("sk-"):
        return SshKeygenSigner(path, public_key)
    key = _load(content, ask() if encrypted else None, path)
    return SshSigner(public_key, lambda data: _blob(key, public_key, data))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise SshKeyError(
            f"the private key can't be read: {error.strerror or error}",
            path=path,
            hint="Make one with `nebula-lab keygen FILE`, or name another.",
        ) from error
    if stat.S_IMODE(status.st_mode) & 0o077 and hasattr(os, "getuid"):
        raise SshKeyError(
            "the private key may be read by others", path=path, hint=f"Run `chmod 600 {path}`."
        )
    return content


def _outside(content: bytes, path: Path) -> tuple[PublicKey, bool]:
    """What can be seen of a private key without its passphrase: the public one, and if it has one.

    Raises:
        SshKeyError: it is no private key in OpenSSH's format, or of a kind that can't sign plugins.
    """
    armor = _ARMOR.fullmatch(content)
    try:
        if armor is None:
            raise SignatureError("it is not in OpenSSH's format")
        reader = SshReader(base64.b64decode(re.sub(rb"\s", b"", armor[1]), validate=True))
        if reader.take(len(_MAGIC)) != _MAGIC:
            raise SignatureError("it is not in OpenSSH's format")
        cipher = reader.name()
        reader.string(), reader.string(), reader.number()
        return PublicKey.from_blob(reader.string()), cipher != "none"
    except (SignatureError, binascii.Error) as error:
        is_public = re.match(rb"(?:ssh|ecdsa|sk)-\S+ AAAA", content) is not None
        raise SshKeyError(
            "it is the public key, not the private one"
            if is_public
            else f"the private key can't be used: {error}",
            path=path,
            hint="Name the file without `.pub`."
            if is_public
            else f"Convert it with `ssh-keygen -p -f {path}`, or make one with "
            "`nebula-lab keygen FILE`.",
        ) from error


def _load(content: bytes, passphrase: str | None, path: Path) -> Any:
    try:
        return load_ssh_private_key(content, passphrase.encode() if passphrase else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        said = "the passphrase is wrong" if passphrase is not None else f"it can't be used: {error}"
        raise SshKeyError(
            f"the private key: {said}", path=path, hint="Try again, or take another key."
        ) from error


def _blob(key: Any, public_key: PublicKey, data: bytes) -> bytes:
    match key:
        case ed25519.Ed25519PrivateKey():
            return ssh_string(public_key.kind) + ssh_string(key.sign(data))
        case ec.EllipticCurvePrivateKey():
            signature = key.sign(data, ec.ECDSA(_CURVE_HASHES[key.curve.key_size]))
            numbers = b"".join(map(ssh_mpint, decode_dss_signature(signature)))
            return ssh_string(public_key.kind) + ssh_string(numbers)
        case rsa.RSAPrivateKey():
            check_rsa_size(key.key_size)
            raw = key.sign(data, padding.PKCS1v15(), hashes.SHA512())
            return ssh_string("rsa-sha2-512") + ssh_string(raw)
    raise SshKeyError(f"a key of the kind {public_key.kind} can't sign here")
