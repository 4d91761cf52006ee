"""What a lock file says of the Python environments that plugins ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from nebula_lab.errors import EnvironmentFailedError
from nebula_lab.model import PluginDescriptor
from nebula_lab.model.lock import LockedEnvironment, LockFile
from nebula_lab.model.python_config import PythonConfig

if TYPE_CHECKING:
    from nebula_lab.environments.cache import EnvironmentCache

__all__ = ["choose_environments", "located", "with_environments"]


def choose_environments(
    cache: EnvironmentCache,
    descriptors: Iterable[PluginDescriptor],
    *,
    anew: bool | Collection[str],
) -> tuple[LockedEnvironment, ...]:
    """The packages of what plugins ask for, by key; nothing is built.

    Args:
        cache: chooses.
        descriptors: of the plugins.
        anew: ask the indexes, whatever was chosen or locked before: for all of them, or for those
            with these ids and for whoever asks for the same as they do.

    Raises:
        EnvironmentFailedError: there is no choice for one of them.
    """

    def is_anew(descriptor: PluginDescriptor) -> bool:
        return anew if isinstance(anew, bool) else descriptor.id in anew

    found: dict[str, LockedEnvironment] = {}
    # Those first, so that what they share with others is what was chosen for them.
    for descriptor in sorted(descriptors, key=is_anew, reverse=True):
        if descriptor.python is not None:
            try:
                chosen = cache.chosen(descriptor.python, anew=is_anew(descriptor))
            except EnvironmentFailedError as error:
                raise located(descriptor, error) from error.__cause__
            found.setdefault(chosen.key, chosen)
    return tuple(found[key] for key in sorted(found))


def with_environments(
    lock: LockFile,
    descriptors: Iterable[PluginDescriptor],
    *,
    anew: bool | Collection[str],
    python: PythonConfig,
) -> LockFile:
    """A lock file with what plugins ask for on this machine.

    What it says of the same requirements for other machines and Pythons stays: whoever locked it
    there can't be asked here.

    Args:
        lock: as it is.
        descriptors: of the plugins.
        anew: ask the indexes, whatever was chosen or locked before.
        python: what the user lets environments be made of.

    Raises:
        EnvironmentFailedError: there is no choice of packages for one of them.
    """
    asking = [one for one in descriptors if one.python is not None]
    if not asking:
        return lock.with_environments(())
    from nebula_lab.environments.cache import EnvironmentCache

    cache = EnvironmentCache(locked=lock.environment, python=python)
    try:
        here = choose_environments(cache, asking, anew=anew)
    finally:
        cache.close()
    keys, wanted = {one.key for one in here}, {one.requirements for one in here}
    elsewhere = [
        one for one in lock.environments if one.key not in keys and one.requirements in wanted
    ]
    return lock.with_environments([*here, *elsewhere])


def located(descriptor: PluginDescriptor, error: EnvironmentFailedError) -> EnvironmentFailedError:
    """The error with the plugin that asked, and where it says so."""
    place = descriptor.declared_in
    error.plugin_id = descriptor.id
    error.path = descriptor.path if place is None else place.path
    return error
