"""How a signature is checked, by kind of key: RFC 8332, RFC 5656, RFC 8709, PROTOCOL.u2f."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from nebula_lab.errors import SignatureError
from nebula_lab.trust.public_key import PublicKey
from nebula_lab.trust.ssh_strings import SshReader

__all__ = ["check_signature", "check_rsa_size"]

Scheme = Callable[[Any, bytes, bytes], None]

# Below, factoring is in reach; above, one check takes seconds.
_RSA_BITS = range(2048, 16_384 + 1)
_USER_PRESENT = 0x01


def check_signature(key: PublicKey, signature: bytes, data: bytes) -> None:
    """Check that a signature blob is the key's over `data`.

    Raises:
        SignatureError: it is not, or it is made in a way that proves too little.
    """
    loaded = _load(key)
    reader = SshReader(signature)
    name, raw = reader.name(), reader.string()
    scheme = _SCHEMES[key.kind].get(name)
    if scheme is None:
        raise SignatureError(
            f"it was made as {name[:60]!r}, which is not taken from a key of the kind {key.kind}",
            hint="Sign with OpenSSH 8.1 or later, or with `nebula-lab sign`.",
        )
    if key.kind.startswith("sk-"):
        data = _with_token(key.fields[-1], reader, data)
    reader.end()
    try:
        scheme(loaded, raw, data)
    except (InvalidSignature, ValueError, OverflowError) as error:
        raise SignatureError("it does not fit what it is said to sign") from error


def check_rsa_size(bits: int) -> None:
    """Refuse keys that prove nothing, or that take too long to check."""
    if bits not in _RSA_BITS:
        raise SignatureError(
            f"an RSA key with {bits} bits is not taken",
            hint="Take one with 3072 bits, or better an Ed25519 key.",
        )


def _load(key: PublicKey) -> Any:
    if key.kind == "ssh-rsa":
        check_rsa_size(int.from_bytes(key.fields[1], "big").bit_length())
    try:
        return load_ssh_public_key(key.line.encode())
    # The last is what `cryptography` says of a point that is compressed.
    except (ValueError, UnsupportedAlgorithm, NotImplementedError) as error:
        raise SignatureError(f"its public key makes no sense: {error}") from error


def _with_token(application: bytes, reader: SshReader, data: bytes) -> bytes:
    """What a security key signs: the data, for whom, and whether a person has touched it."""
    flags, counter = reader.take(1), reader.take(4)
    if not flags[0] & _USER_PRESENT:
        raise SignatureError(
            "it was made by a security key that nobody touched",
            hint="Make the key without `-O no-touch-required`, and sign again.",
        )
    return sha256(application).digest() + flags + counter + sha256(data).digest()


def _ed25519(key: Any, raw: bytes, data: bytes) -> None:
    key.verify(raw, data)


def _rsa(algorithm: hashes.HashAlgorithm) -> Scheme:
    def check(key: Any, raw: bytes, data: bytes) -> None:
        # Some agents leave out leading zeros.
        key.verify(raw.rjust((key.key_size + 7) // 8, b"\0"), data, padding.PKCS1v15(), algorithm)

    return check


def _ecdsa(algorithm: hashes.HashAlgorithm) -> Scheme:
    def check(key: Any, raw: bytes, data: bytes) -> None:
        reader = SshReader(raw)
        r, s = reader.mpint(), reader.mpint()
        reader.end()
        key.verify(encode_dss_signature(r, s), data, ec.ECDSA(algorithm))

    return check


_SCHEMES: Mapping[str, Mapping[str, Scheme]] = {
    "ssh-ed25519": {"ssh-ed25519": _ed25519},
    "ecdsa-sha2-nistp256": {"ecdsa-sha2-nistp256": _ecdsa(hashes.SHA256())},
    "ecdsa-sha2-nistp384": {"ecdsa-sha2-nistp384": _ecdsa(hashes.SHA384())},
    "ecdsa-sha2-nistp521": {"ecdsa-sha2-nistp521": _ecdsa(hashes.SHA512())},
    # Not `ssh-rsa` itself, which is RSA over SHA-1: collisions of that can be bought.
    "ssh-rsa": {"rsa-sha2-256": _rsa(hashes.SHA256()), "rsa-sha2-512": _rsa(hashes.SHA512())},
    "sk-ssh-ed25519@openssh.com": {"sk-ssh-ed25519@openssh.com": _ed25519},
    "sk-ecdsa-sha2-nistp256@openssh.com": {
        "sk-ecdsa-sha2-nistp256@openssh.com": _ecdsa(hashes.SHA256())
    },
}
