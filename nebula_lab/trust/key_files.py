"""Files of public keys: whom to trust, and whom no longer."""

from __future__ import annotations

from pathlib import Path

from nebula_lab.errors import ConfigError, SignatureError
from nebula_lab.trust.key_lines import TrustedKey, read_key_line

__all__ = ["read_trusted_keys", "read_revoked_keys", "parse_inline_keys"]

_LARGEST = 4 * 2**20
_KRL = b"SSHKRL\n\0"


def read_trusted_keys(path: Path) -> tuple[TrustedKey, ...]:
    """The keys of an allowed_signers file, or of lines as in `.pub` files; both may be mixed.

    Raises:
        ConfigError: it can't be read, or a line in it is none of these.
    """
    return _keys(_text(path, "trusted keys"), path)


def read_revoked_keys(path: Path) -> frozenset[bytes]:
    """The blobs of the keys of a list.

    Raises:
        ConfigError: it can't be read, is OpenSSH's binary list, or a line in it is no key.
    """
    return frozenset(one.key.blob for one in _keys(_text(path, "revoked keys"), path))


def parse_inline_keys(lines: tuple[str, ...]) -> tuple[TrustedKey, ...]:
    """The keys that a configuration has in itself.

    Raises:
        ConfigError: one of them is none.
    """
    found = []
    for number, line in enumerate(lines):
        try:
            found.append(read_key_line(line))
        except SignatureError as error:
            raise ConfigError(
                f"security.trusted_keys, number {number + 1}: {error.message}",
                hint=error.hint
                or "Copy the whole line from the `.pub` file of whoever signs your plugins.",
            ) from error
    return tuple(one for one in found if one is not None)


def _text(path: Path, what: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigError(
            f"the file of {what} can't be read: {error.strerror or error}",
            path=path,
            hint="Relative paths are taken from the folder of the configuration.",
        ) from error
    if content.startswith(_KRL):
        raise ConfigError(
            "is a binary revocation list (KRL), which is not read here",
            path=path,
            hint="Write the revoked public keys into a text file, one a line.",
        )
    if len(content) > _LARGEST:
        raise ConfigError(f"has more than {_LARGEST // 2**20} MiB", path=path)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"the file of {what} is not text", path=path) from error


def _keys(text: str, path: Path) -> tuple[TrustedKey, ...]:
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            found.append(read_key_line(line))
        except SignatureError as error:
            raise ConfigError(
                error.message, path=path, line=number, hint=error.hint or "Correct or remove it."
            ) from error
    return tuple(one for one in found if one is not None)
