"""Signs with a key that an SSH agent holds (draft-ietf-sshm-ssh-agent)."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nebula_lab.errors import SignatureError, SshKeyError
from nebula_lab.trust.key_lines import read_key_line
from nebula_lab.trust.public_key import PublicKey
from nebula_lab.trust.signer import SshSigner
from nebula_lab.trust.ssh_strings import SshReader, ssh_string

__all__ = ["signer_from_agent"]

_PATIENCE = 120.0  # an agent may ask a person, or have a key touched
_LARGEST = 256 * 1024
_REQUEST_IDENTITIES, _IDENTITIES = 11, 12
_SIGN_REQUEST, _SIGN_RESPONSE = 13, 14
_RSA_SHA2_512 = 4


def signer_from_agent(public_key_file: Path | None) -> SshSigner:
    """A signer for a key of the agent at $SSH_AUTH_SOCK.

    Args:
        public_key_file: the `.pub` file of the key to take; without, the agent's only one.

    Raises:
        SshKeyError: there is no agent, or it does not have the key, or has several.
    """
    wanted = None if public_key_file is None else _public_key(public_key_file)
    held = _held_keys()
    if wanted is None and len(held) == 1:
        wanted = held[0]
    if wanted is None:
        raise SshKeyError(
            f"the SSH agent has {len(held)} keys that could sign",
            hint="Add one with `ssh-add FILE`." if not held else "Say which with --key FILE.pub.",
        )
    if all(key.blob != wanted.blob for key in held):
        raise SshKeyError(
            f"the SSH agent does not have the key {wanted.fingerprint}",
            path=public_key_file,
            hint="Add it with `ssh-add FILE`.",
        )
    return SshSigner(wanted, lambda data: _sign(wanted, data))


def _public_key(path: Path) -> PublicKey:
    try:
        found = read_key_line(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, SignatureError) as error:
        raise SshKeyError(
            f"the public key can't be read: {error}", path=path, hint="Name the `.pub` file."
        ) from error
    if found is None:
        raise SshKeyError("the file has no public key", path=path)
    return found.key


def _held_keys() -> list[PublicKey]:
    reader = _ask(bytes([_REQUEST_IDENTITIES]), _IDENTITIES)
    keys = []
    for _ in range(reader.number()):
        blob, _comment = reader.string(), reader.string()
        try:
            keys.append(PublicKey.from_blob(blob))
        except SignatureError:
            continue  # a certificate, say, beside its key
    return keys


def _sign(key: PublicKey, data: bytes) -> bytes:
    flags = _RSA_SHA2_512 if key.kind == "ssh-rsa" else 0
    request = bytes([_SIGN_REQUEST]) + ssh_string(key.blob) + ssh_string(data)
    return _ask(request + flags.to_bytes(4, "big"), _SIGN_RESPONSE).string()


def _ask(request: bytes, expected: int) -> SshReader:
    """Send the agent one message, and read its answer after the number of its kind."""
    with _connection() as agent:
        agent.sendall(ssh_string(request))
        length = int.from_bytes(_received(agent, 4), "big")
        if not 0 < length <= _LARGEST:
            raise SshKeyError("the SSH agent gives an answer that makes no sense")
        kind, *_ = answer = _received(agent, length)
    if kind != expected:
        raise SshKeyError(
            "the SSH agent refuses",
            hint="See `ssh-add -l`; it may be locked, or somebody has to confirm.",
        )
    return SshReader(answer[1:])


@contextmanager
def _connection() -> Iterator[socket.socket]:
    path = os.environ.get("SSH_AUTH_SOCK")
    if not path:
        raise SshKeyError(
            "there is no SSH agent: SSH_AUTH_SOCK is not set",
            hint="Start one with `eval $(ssh-agent)`, or sign with --key FILE.",
        )
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as agent:
            agent.settimeout(_PATIENCE)
            agent.connect(path)
            yield agent
    except OSError as error:
        raise SshKeyError(
            f"the SSH agent can't be asked: {error.strerror or error}",
            path=path,
            hint="See `ssh-add -l`, or sign with --key FILE.",
        ) from error


def _received(agent: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        chunk = agent.recv(count - len(received))
        if not chunk:
            raise SshKeyError("the SSH agent has ended in the middle of its answer")
        received += chunk
    return received
