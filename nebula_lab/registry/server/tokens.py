"""Who may change a registry: a file with a line for each token, and no token in it.

    ci       sha256:0f3a…  counter, team-*
    operator sha256:9b1c…  *

The words are a name for the log, the hash of the token, and the ids that it may publish and
withdraw; without ids it may only read. A token is 256 random bits, which nobody finds by trying,
so a plain hash of it is enough.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import stat
from collections.abc import Sequence
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from nebula_lab.errors import ConfigError

__all__ = ["Token", "TokenFile", "add_token"]

# Programs that look for secrets that were published by mistake find it by this.
_PREFIX = "nebula-registry-"
_LARGEST = 2**20
_LINE = re.compile(
    r"(?P<name>[A-Za-z0-9_.@-]{1,100})\s+sha256:(?P<hash>[0-9a-f]{64})(?:\s+(?P<ids>.*))?"
)
_IDS = re.compile(r"[A-Za-z0-9_.*?\[\]-]+(?:\s*,\s*[A-Za-z0-9_.*?\[\]-]+)*")


class Token(Struct, frozen=True):
    """What is known of a token.

    Attributes:
        name: whose it is.
        hash: SHA-256 of it, in hexadecimal.
        ids: patterns of the plugins that it may publish and withdraw.
    """

    name: str
    hash: str
    ids: tuple[str, ...] = ()

    def may_change(self, plugin_id: str) -> bool:
        return any(fnmatchcase(plugin_id, pattern) for pattern in self.ids)


class TokenFile:
    """A file of tokens, read again for each request: what is removed from it ends at once.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[Token, ...]:
        """All tokens.

        Raises:
            ConfigError: the file can't be read, others may write it, or a line in it is none.
        """
        try:
            with self.path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                text = file.read(_LARGEST).decode()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"the file of tokens can't be read: {error}",
                path=self.path,
                hint="Make one with `nebula-lab registry token FILE NAME`.",
            ) from error
        if stat.S_IMODE(mode) & 0o022:
            raise ConfigError(
                "others may write the file of tokens",
                path=self.path,
                hint=f"Run `chmod 600 {self.path}`.",
            )
        lines = enumerate(text.split("\n"), 1)
        return tuple(
            self._token(line.strip(), number)
            for number, line in lines
            if line.strip() and not line.strip().startswith("#")
        )

    def find(self, token: str) -> Token | None:
        """What is known of a token; None where it is none of these."""
        wanted = _hash(token)
        found = None
        for one in self.read():
            # All are looked at, and each as a whole, so that time says nothing of a hash.
            if hmac.compare_digest(one.hash, wanted):
                found = one
        return found

    def _token(self, line: str, number: int) -> Token:
        found = _LINE.fullmatch(line)
        ids = (found["ids"] or "").strip() if found else ""
        if found is None or (ids and not _IDS.fullmatch(ids)):
            # The line is not quoted: somebody may have put the token itself there.
            raise ConfigError(
                "this line is not `NAME sha256:HASH IDS`",
                path=self.path,
                line=number,
                hint="`nebula-lab registry token FILE NAME` writes such lines.",
            )
        patterns = tuple(one.strip() for one in ids.split(",")) if ids else ()
        return Token(found["name"], found["hash"], patterns)


def add_token(path: Path, name: str, ids: Sequence[str]) -> str:
    """Make a token and add what is known of it to a file, which is made if it is not there.

    Returns:
        The token. It is written nowhere.

    Raises:
        ConfigError: the name or an id is malformed or the name is there already, or the file can't
            be read or written.
    """
    token = _PREFIX + secrets.token_urlsafe(32)
    line = f"{name} sha256:{_hash(token)} {', '.join(ids)}".rstrip()
    file = TokenFile(path)
    if not _LINE.fullmatch(line) or (ids and not _IDS.fullmatch(", ".join(ids))):
        raise ConfigError(
            "a name is letters, digits and `_.@-`, and ids may have `*` and `?` besides",
            path=path,
        )
    if path.exists() and name in {one.name for one in file.read()}:
        raise ConfigError(
            f"there is a token with the name {name} already",
            path=path,
            hint="Remove its line first; the old token ends with that.",
        )
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as written:
            written.seek(0)
            whole = written.read(_LARGEST)
            before = b"" if not whole or whole.endswith(b"\n") else b"\n"
            written.write(before + f"{line}\n".encode())
    except OSError as error:
        raise ConfigError(
            f"the file of tokens can't be written: {error.strerror or error}", path=path
        ) from error
    return token


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
