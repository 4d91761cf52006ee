"""OpenSSH's signatures of files (PROTOCOL.sshsig): bytes in, values out; no keys in here."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import textwrap

from msgspec import Struct

from nebula_lab.errors import SignatureError
from nebula_lab.trust.ssh_strings import SshReader, ssh_string

__all__ = ["NAMESPACE", "SshSignature", "parse_signature", "signed_data"]

# A signature for mail or commits must not be one for a plugin too.
NAMESPACE = "nebula-lab"
# RSA with 16,384 bits makes 6 kB of armour; this is what is read of a file at most.
_LARGEST = 64 * 1024
_MAGIC = b"SSHSIG"
_VERSION = 1
_HASHES = ("sha256", "sha512")
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_ARMOR = re.compile(rf"{_BEGIN}\r?\n([A-Za-z0-9+/=\r\n]+){_END}\s*".encode())


class SshSignature(Struct, frozen=True):
    """What a signature consists of.

    Attributes:
        public_key: the blob of the key that made it, as far as it says.
        namespace: what it is for.
        hash_name: with which hash the message was hashed.
        signature: the blob with the signature proper.
    """

    public_key: bytes
    namespace: str
    hash_name: str
    signature: bytes

    def armored(self) -> bytes:
        """The text as OpenSSH writes it."""
        fields = (self.public_key, self.namespace, "", self.hash_name, self.signature)
        blob = _MAGIC + _VERSION.to_bytes(4, "big") + b"".join(ssh_string(one) for one in fields)
        lines = textwrap.wrap(base64.b64encode(blob).decode(), 70)
        return "\n".join([_BEGIN, *lines, _END, ""]).encode()


def parse_signature(text: bytes) -> SshSignature:
    """Read an armored signature.

    Raises:
        SignatureError: it is none, or of a kind that we do not know.
    """
    if len(text) > _LARGEST:
        raise SignatureError(f"it has {len(text):,} bytes; a signature has at most {_LARGEST:,}")
    armor = _ARMOR.fullmatch(text)
    if armor is None:
        raise SignatureError("it is not an SSH signature")
    try:
        blob = base64.b64decode(re.sub(rb"\s", b"", armor[1]), validate=True)
    except binascii.Error as error:
        raise SignatureError(f"it is not an SSH signature: {error}") from error
    return _parse_blob(SshReader(blob))


def _parse_blob(reader: SshReader) -> SshSignature:
    if reader.take(len(_MAGIC)) != _MAGIC:
        raise SignatureError("it is not an SSH signature")
    if (version := reader.number()) != _VERSION:
        raise SignatureError(f"it is an SSH signature of version {version}, which is not known")
    public_key, namespace = reader.string(), reader.name()
    reader.string()  # reserved; the specification says to ignore it
    found = SshSignature(public_key, namespace, reader.name(), reader.string())
    reader.end()
    if found.hash_name not in _HASHES:
        raise SignatureError(f"its hash {found.hash_name!r} is not one of {', '.join(_HASHES)}")
    return found


def signed_data(message: bytes, hash_name: str, namespace: str = NAMESPACE) -> bytes:
    """What is really signed in place of a message."""
    digest = hashlib.new(hash_name, message).digest()
    fields: tuple[bytes | str, ...] = (namespace, "", hash_name, digest)
    return _MAGIC + b"".join(ssh_string(one) for one in fields)
