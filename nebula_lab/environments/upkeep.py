"""Which environments are kept, and removing those that nobody uses or still asks for."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from nebula_lab.environments.building import RECIPE, Recipe
from nebula_lab.environments.cache_layout import CacheLayout
from nebula_lab.environments.host_packages import preferred_versions
from nebula_lab.environments.users import EnvironmentUser, forget_users, noted_users
from nebula_lab.model.lock import LockedEnvironment, LockedPackage
from nebula_lab.trust.locks import try_exclusive

__all__ = [
    "MONTH",
    "AsksStill",
    "KeptEnvironment",
    "Removed",
    "kept_environment",
    "kept_environments",
    "remove_kept",
    "remove_unused",
    "tidy",
]

_HOUR = 3600.0  # seconds
_DAY = 24 * _HOUR
MONTH = 30 * _DAY
_decoder = msgspec.json.Decoder(Recipe)
_answer_decoder = msgspec.json.Decoder(LockedEnvironment)
# Whether a plugin still asks for the environment that it was given, which was built like this.
AsksStill = Callable[[EnvironmentUser, Recipe], bool]


class KeptEnvironment(Struct, frozen=True):
    """One environment that is there.

    Attributes:
        key: its name.
        path: its folder.
        python: such as `3.12.1`; "" where its own note of it can't be read.
        packages: `name==version` of what is installed.
        size: bytes of its files; other environments and uv's cache have most of them too.
        used_at: when a manager took it last, in seconds since 1970.
        is_in_use: a manager has it now.
        plugins: ids of those that were given it last, of all managers of this user.
    """

    key: str
    path: Path
    python: str
    packages: tuple[str, ...]
    size: int
    used_at: float
    is_in_use: bool
    plugins: tuple[str, ...] = ()

    @property
    def chosen(self) -> tuple[str, ...]:
        """The packages but those that the manager has for a host too, in the same version."""
        own = set(preferred_versions())
        return tuple(one for one in self.packages if one not in own)


class Removed(Struct, frozen=True):
    """What was removed, and what was not.

    Attributes:
        environments: how many.
        size: bytes that the disk has back.
        wanted: those that nobody has used for long, and were left since these still ask for them;
            by key.
    """

    environments: int
    size: int
    wanted: dict[str, tuple[EnvironmentUser, ...]] = {}


def kept_environments(layout: CacheLayout) -> list[KeptEnvironment]:
    """Those that are there, the ones that were used last first."""
    found = [kept_environment(layout, folder.name) for folder in _inside(layout.built)]
    return sorted(found, key=lambda one: one.used_at, reverse=True)


def kept_environment(layout: CacheLayout, key: str) -> KeptEnvironment:
    """One that is there."""
    folder, recipe = layout.environment(key), _recipe(layout, key)
    python = "" if recipe is None else recipe.interpreter.version
    installed = () if recipe is None else recipe.packages
    packages = tuple(f"{one.name}=={one.version}" for one in installed)
    with try_exclusive(layout.lock(key)) as is_free:
        used_at = layout.lock(key).stat().st_mtime
    size = sum(one.st_size for one in _files(folder))
    users = (one for one in noted_users(layout) if one.environment == key)
    plugins = tuple(sorted({one.plugin_id for one in users}))
    return KeptEnvironment(key, folder, python, packages, size, used_at, not is_free, plugins)


def remove_unused(
    layout: CacheLayout, older_than: float, asks_still: AsksStill = lambda *_: False
) -> Removed:
    """Remove what nobody has now or asks for, and what was left of builds that were killed.

    Args:
        layout: of the cache.
        older_than: environments that were used since then, in seconds from now, stay.
        asks_still: asked of those that were not, and of each plugin that was given it last.

    Raises:
        OSError: it can't be removed.
    """
    count, size = 0, 0
    wanted: dict[str, tuple[EnvironmentUser, ...]] = {}
    for folder in _inside(layout.built):
        with try_exclusive(layout.lock(folder.name)) as is_free:
            if not is_free or _age(layout.lock(folder.name)) < older_than:
                continue
            if users := _asking(layout, folder.name, asks_still):
                wanted[folder.name] = users
                continue
            size += remove_kept(layout, folder.name)
            count += 1
    forget_users(layout)
    for folder in _inside(layout.new):
        size += _remove_left_behind(layout, folder)
    size += _remove_answers(layout, max(older_than, _HOUR))
    for folder in _inside(layout.wheels):
        with try_exclusive(layout.lock(folder.name)) as is_free:
            if is_free and _age(folder) >= older_than:
                size += _remove(layout, folder)
    # What no environment has any more. A compiler that runs now may be about to link to one.
    for file in _inside(layout.bytecode):
        with contextlib.suppress(FileNotFoundError):
            if file.stat().st_nlink == 1 and _age(file) > _HOUR:
                size += file.stat().st_size
                file.unlink()
    return Removed(count, size, wanted)


def _asking(layout: CacheLayout, key: str, asks_still: AsksStill) -> tuple[EnvironmentUser, ...]:
    """Who still asks for an environment; nobody for one that does not say what it is."""
    recipe = _recipe(layout, key)
    if recipe is None:
        return ()
    users = (one for one in noted_users(layout) if one.environment == key)
    return tuple(one for one in users if asks_still(one, recipe))


def _remove_answers(layout: CacheLayout, older_than: float) -> int:
    """Remove what was chosen long ago, unless an environment has these packages; bytes.

    Without its answer a question is asked again, and a plugin would have other packages tomorrow.
    """
    old = [file for file in _inside(layout.answers) if _age(file) >= older_than]
    kept = {one.packages for one in _recipes(layout)} if old else set()
    return sum(_remove(layout, file) for file in old if not _is_answer_of(file, kept))


def _is_answer_of(file: Path, kept: Collection[tuple[LockedPackage, ...]]) -> bool:
    try:
        return _answer_decoder.decode(file.read_bytes()).packages in kept
    except (OSError, msgspec.MsgspecError):
        return False


def _recipes(layout: CacheLayout) -> Iterator[Recipe]:
    found = (_recipe(layout, folder.name) for folder in _inside(layout.built))
    return (one for one in found if one is not None)


def _recipe(layout: CacheLayout, key: str) -> Recipe | None:
    """What an environment was built from; None where it does not say."""
    try:
        return _decoder.decode((layout.environment(key) / RECIPE).read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None


def remove_kept(layout: CacheLayout, key: str) -> int:
    """Remove an environment whose lock is held; bytes that the disk has back.

    Raises:
        OSError: it can't be removed.
    """
    return _remove(layout, layout.environment(key))


def tidy(layout: CacheLayout, asks_still: AsksStill) -> None:
    """Once a day: remove what nobody has used for a month, or still asks for.

    Raises:
        OSError: it can't be removed.
    """
    note = layout.root / "tidied"
    # One from the future was left by a clock that has been set back since.
    if layout.root.is_dir() and not (note.exists() and 0 <= _age(note) <= _DAY):
        note.touch()
        remove_unused(layout, MONTH, asks_still)


def _remove_left_behind(layout: CacheLayout, folder: Path) -> int:
    """Remove what a build was killed over: whoever builds holds the lock of its environment."""
    key = folder.name.partition("-")[0]
    if key in ("answer", "gone", "source"):
        return _remove(layout, folder) if _age(folder) > _HOUR else 0
    with try_exclusive(layout.lock(key)) as is_free:
        return _remove(layout, folder) if is_free else 0


def _remove(layout: CacheLayout, path: Path) -> int:
    """Remove a file or folder, which is at once not there any more for anybody; bytes."""
    layout.new.mkdir(0o700, parents=True, exist_ok=True)
    gone = layout.new / f"gone-{secrets.token_hex(8)}"
    try:
        os.rename(path, gone)  # noqa: PTH104
    except FileNotFoundError:
        return 0
    size = sum(one.st_size for one in _files(gone) if one.st_nlink == 1)
    if gone.is_dir():
        shutil.rmtree(gone)
    else:
        gone.unlink()
    return size


def _files(folder: Path) -> Iterator[os.stat_result]:
    for parent, _, names in os.walk(folder, followlinks=False):
        for name in names:
            with contextlib.suppress(OSError):
                yield Path(parent, name).lstat()


def _age(path: Path) -> float:
    """Seconds since it was last touched; none where it is not there."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
