"""Who has which environment: a note for each plugin that was given one, whatever manager runs it.

A note says what the plugin had last. So who asks for something else gets another environment and
lets go of the former one.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from nebula_lab.environments.cache_layout import CacheLayout

__all__ = ["EnvironmentUser", "forget_users", "note_user", "noted_users"]


class EnvironmentUser(Struct, frozen=True, kw_only=True):
    """A plugin that was given an environment.

    Attributes:
        plugin_id: its id.
        path: its file or folder.
        declared_in: the file that says what it needs.
        needs: that, as JSON.
        lock: the lock file that its manager followed; "" for none.
        python: the folder of the Python that the environment was made from.
        environment: the key of the environment.
    """

    plugin_id: str
    path: str
    declared_in: str
    needs: str
    lock: str = ""
    python: str = ""
    environment: str = ""

    @property
    def name(self) -> str:
        """Of its note: a plugin that runs on two Pythons, or locked and not, has one for each."""
        parts = [self.plugin_id, self.path, self.lock, self.python]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


_decoder = msgspec.json.Decoder(EnvironmentUser)


def note_user(layout: CacheLayout, user: EnvironmentUser) -> None:
    """Note what a plugin has from now on.

    Raises:
        OSError: it can't be written.
    """
    layout.users.mkdir(0o700, parents=True, exist_ok=True)
    new = layout.users / f"new-{secrets.token_hex(8)}"
    try:
        new.write_bytes(msgspec.json.encode(user))
        os.replace(new, layout.users / user.name)  # noqa: PTH105
    finally:
        new.unlink(missing_ok=True)


def noted_users(layout: CacheLayout) -> Iterator[EnvironmentUser]:
    """Those that were noted, by the names of their notes; one that can't be read is left out."""
    for file in _notes(layout):
        try:
            yield _decoder.decode(file.read_bytes())
        except (OSError, msgspec.MsgspecError):
            continue


def forget_users(layout: CacheLayout) -> None:
    """Remove the notes of those whose environment is not there any more.

    Raises:
        OSError: one can't be removed.
    """
    for user in noted_users(layout):
        if not layout.environment(user.environment).is_dir():
            (layout.users / user.name).unlink(missing_ok=True)


def _notes(layout: CacheLayout) -> list[Path]:
    try:
        return sorted(layout.users.iterdir())
    except FileNotFoundError:
        return []
