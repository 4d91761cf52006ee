"""Writes a lock file, and says what is different in it."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from nebula_lab.errors import LockError
from nebula_lab.model.lock import LockFile

__all__ = ["changes_between", "write_lock"]


def changes_between(before: LockFile, after: LockFile) -> Iterator[str]:
    """What another lock file says, one line for each plugin and environment."""
    old = {one.id: one for one in before.plugins}
    new = {one.id: one for one in after.plugins}
    for plugin_id in sorted(old.keys() | new.keys()):
        was, is_now = old.get(plugin_id), new.get(plugin_id)
        if was == is_now:
            continue
        if was is None:
            yield f"+ {plugin_id} {new[plugin_id].version}"
        elif is_now is None:
            yield f"- {plugin_id} {was.version}"
        elif was.version != is_now.version:
            yield f"~ {plugin_id} {was.version} → {is_now.version}"
        else:
            yield f"~ {plugin_id} {is_now.version}, with other files or dependencies"
    yield from _environment_changes(before, after)


def _environment_changes(before: LockFile, after: LockFile) -> Iterator[str]:
    for one in after.environments:
        was = before.environment(one.key)
        if was != one:
            sign, names = "+" if was is None else "~", ", ".join(one.requirements)
            yield f"{sign} environment of {names or 'nothing more'} ({_machine(one.key)})"
    for one in before.environments:
        if after.environment(one.key) is None:
            yield f"- environment of {', '.join(one.requirements)} ({_machine(one.key)})"


def _machine(key: str) -> str:
    """Which Python and platform a key is for, such as `cpython-311-linux-x86_64`."""
    return key.rpartition("-")[0] or key


def write_lock(lock: LockFile, path: Path) -> bool:
    """Write a lock file, whole or not at all; whether that changed it.

    Raises:
        LockError: it can't be written.
    """
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        if path.exists() and path.read_bytes() == lock.text.encode():
            return False
        with temporary.open("xb") as file:
            file.write(lock.text.encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise LockError(
            f"can't be written: {error.strerror or error}",
            path=path,
            hint="Check the folder, its permissions and the room on its disk.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return True
