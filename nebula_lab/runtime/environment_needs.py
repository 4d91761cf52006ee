"""Who still asks for an environment that nobody has used for long."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nebula_lab.environments.users import EnvironmentUser
from nebula_lab.errors import LockError, PluginError
from nebula_lab.model import PluginDescriptor, PythonNeeds
from nebula_lab.model.lock import LockFile, read_lock

if TYPE_CHECKING:
    from nebula_lab.environments.building import Recipe
    from nebula_lab.environments.environment import Environment

__all__ = ["asks_still", "user_of"]


def user_of(
    descriptor: PluginDescriptor, needs: PythonNeeds, environment: Environment, lock: Path | None
) -> EnvironmentUser:
    """What is noted of a plugin that was given an environment.

    Args:
        descriptor: the plugin.
        needs: what it asks for.
        environment: what it was given.
        lock: the lock file that its manager follows.
    """
    declared = descriptor.declared_in
    return EnvironmentUser(
        plugin_id=descriptor.id,
        path=str(descriptor.path),
        declared_in=str(descriptor.path if declared is None else declared.path),
        needs=needs.model_dump_json(),
        lock="" if lock is None else str(lock),
        python=environment.bases[0],
        environment=Path(environment.prefix).name,
    )


def asks_still(user: EnvironmentUser, recipe: Recipe) -> bool:
    """Whether a plugin asks for what it was given, or a lock file names that. Nothing of it runs.

    Args:
        user: the plugin, and what it was given.
        recipe: what that was built from.
    """
    return _is_asked_for_by_the_plugin(user) or _is_locked(user, recipe)


def _is_asked_for_by_the_plugin(user: EnvironmentUser) -> bool:
    from nebula_lab.discovery import read_descriptor

    path = Path(user.path)
    if not path.exists():
        return False
    try:
        found = read_descriptor(path)
    except PluginError:
        return True  # somebody is in the middle of writing it, or a configuration describes it
    declared = found.declared_in
    if found.id != user.plugin_id or declared is None or str(declared.path) != user.declared_in:
        return Path(user.declared_in).exists()  # what it asks for is said elsewhere
    return found.python is not None and found.python.model_dump_json() == user.needs


def _is_locked(user: EnvironmentUser, recipe: Recipe) -> bool:
    from nebula_lab.environments.choosing import lock_key

    lock = _lock_of(user)
    if lock is None:
        return False
    try:
        key = lock_key(PythonNeeds.model_validate_json(user.needs), recipe.interpreter)
    except ValueError:  # a note of another version of ours
        return False
    locked = lock.environment(key)
    return locked is not None and locked.packages == recipe.packages


def _lock_of(user: EnvironmentUser) -> LockFile | None:
    if not user.lock:
        return None
    try:
        return read_lock(Path(user.lock))
    except LockError:
        return None
