"""Puts a signature beside a plugin, or into its package."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from nebula_lab.errors import SignatureError
from nebula_lab.trust.contents import CollectedPlugin
from nebula_lab.trust.public_key import PublicKey
from nebula_lab.trust.schemes import check_signature
from nebula_lab.trust.signer import Signer
from nebula_lab.trust.sshsig import parse_signature, signed_data
from nebula_lab.trust.sums import SignedFiles

__all__ = ["sign", "write_signed_list"]


def sign(collected: CollectedPlugin, signer: Signer) -> Path:
    """Sign all files of a plugin, and write the list of them and its signature.

    Returns:
        The path of the list; its signature has `.sig` after that name.

    Raises:
        SignatureError: the plugin can't be signed as it is, or its folder can't be written.
        SshKeyError: the key can't be used.
    """
    text = _signable(collected)
    signature = signer.sign(text)
    # A security key or an agent is somebody else's program: what it made must hold.
    parsed = parse_signature(signature)
    key = PublicKey.from_blob(parsed.public_key)
    check_signature(key, parsed.signature, signed_data(text, parsed.hash_name))
    path = collected.folder / collected.signed_list
    _write(path, text, collected)
    _write(path.with_name(f"{path.name}.sig"), signature, collected)
    return path


def write_signed_list(collected: CollectedPlugin) -> Path:
    """Write the list of a plugin's files alone, for `ssh-keygen -Y sign` to sign; as `sign`."""
    path = collected.folder / collected.signed_list
    _write(path, _signable(collected), collected)
    return path


def _signable(collected: CollectedPlugin) -> bytes:
    if collected.description is None:
        raise SignatureError(
            "what it may do is said in a file that would not be signed with it",
            plugin_id=collected.plugin_id,
            path=collected.folder / collected.files.source,
            hint="Put its manifest beside it or into it, or PLUGIN_METADATA into its source.",
        )
    text = SignedFiles.of(collected).text
    SignedFiles.parse(text)  # a list that is too long to be read is no use to anybody
    return text


def _write(path: Path, content: bytes, collected: CollectedPlugin) -> None:
    """Write a file at once, in place of what is there."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        try:
            temporary.write_bytes(content)
            os.replace(temporary, path)  # noqa: PTH105 - the name says what is meant
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise SignatureError(
            f"its signature can't be written: {error.strerror or error}",
            plugin_id=collected.plugin_id,
            path=path,
            hint="Sign a copy in a folder that you can write to.",
        ) from error
