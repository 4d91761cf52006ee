"""Makes keys to sign plugins with, in OpenSSH's format."""

from __future__ import annotations

import getpass
import os
import socket
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from nebula_lab.errors import SshKeyError

__all__ = ["make_key"]


def make_key(path: Path, passphrase: str = "", comment: str | None = None) -> str:
    """Make an Ed25519 key: the private one in `path`, the public one beside it in `.pub`.

    Args:
        path: where; nothing that is there is written over.
        passphrase: encrypts the private key; empty for none.
        comment: whose it is; the user's name and machine without.

    Returns:
        The line to trust it by.

    Raises:
        SshKeyError: one of the files is there already, or can't be written.
    """
    key = Ed25519PrivateKey.generate()
    encryption: KeySerializationEncryption = NoEncryption()
    if passphrase:
        encryption = BestAvailableEncryption(passphrase.encode())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, encryption)
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    line = f"{public} {_owner() if comment is None else comment}"
    public_path = path.with_name(f"{path.name}.pub")
    if os.path.lexists(public_path):
        raise _refused(public_path, "is there already")
    _write(path, private, 0o600)
    try:
        _write(public_path, f"{line}\n".encode(), 0o644)
    except BaseException:
        path.unlink()
        raise
    return line


def _owner() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in some containers
        user = "nebula-lab"
    return f"{user}@{socket.gethostname()}"


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write a file that is not there yet, with its rights from the first moment."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise _refused(path, "is there already") from error
    except OSError as error:
        raise _refused(path, f"can't be written: {error.strerror or error}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _refused(path: Path, why: str) -> SshKeyError:
    return SshKeyError(
        f"the key file {why}", path=path, hint="Name another file; keys are never written over."
    )
