"""The environments that plugins ask for: shared, built once, removed when nobody uses them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from nebula_lab.environments.agent_copy import agent_folder
from nebula_lab.environments.building import Recipe, build, compile_in
from nebula_lab.environments.cache_layout import CacheLayout, cache_root
from nebula_lab.environments.choosing import (
    Question,
    answer_key,
    choose_packages,
    lock_key,
    remembered,
)
from nebula_lab.environments.choosing_sources import SourceSettings
from nebula_lab.environments.environment import Environment
from nebula_lab.environments.failures import (
    failure_from_source,
    failure_from_system,
    failure_from_uv,
)
from nebula_lab.environments.host_packages import HOST_REQUIREMENTS
from nebula_lab.environments.index_settings import index_settings
from nebula_lab.environments.interpreters import Interpreter, Interpreters
from nebula_lab.environments.source_error import SourceError
from nebula_lab.environments.sources import SourceWheels
from nebula_lab.environments.stages import NOBODY, BuildWatcher
from nebula_lab.environments.upkeep import remove_kept
from nebula_lab.environments.uv_tool import CancelledError, Uv, UvError
from nebula_lab.errors import EnvironmentFailedError
from nebula_lab.model.lock import LockedEnvironment
from nebula_lab.model.python_config import PythonConfig
from nebula_lab.model.python_needs import PythonNeeds
from nebula_lab.trust.locks import hold_shared, try_exclusive

__all__ = ["EnvironmentCache"]

_WAITING = 0.05  # seconds between two looks at a lock that another process holds
_FORMAT = 1


class EnvironmentCache:
    """Has the environment for what a plugin asks for.

    What it has given is kept from being removed until it is closed. Any thread.

    Args:
        root: where they are kept; the user's cache folder without.
        mark: see `Uv`.
        locked: what a lock file says of an environment, by its key; None where it says nothing.
        host: what is in every environment, besides what is asked for.
        python: what the user lets them be made of; wheels alone without.
    """

    def __init__(
        self,
        root: Path | None = None,
        mark: Callable[[], str] = lambda: "",
        locked: Callable[[str], LockedEnvironment | None] = lambda key: None,
        host: tuple[str, ...] = HOST_REQUIREMENTS,
        python: PythonConfig | None = None,
    ) -> None:
        self.layout = CacheLayout(cache_root() if root is None else root)
        self._mark = mark
        self._locked = locked
        self._host = host
        self._python = PythonConfig() if python is None else python
        self._leases: dict[str, int] = {}
        self._guard = threading.Lock()
        self._is_closed = False
        self._interpreters: Interpreters | None = None

    @property
    def uv(self) -> Uv:
        """With the user's settings as they are now."""
        return Uv(index_settings(), self._mark)

    @property
    def interpreters(self) -> Interpreters:
        """Which Pythons there are."""
        if self._interpreters is None:
            self._interpreters = Interpreters(self.uv)
        return self._interpreters

    def ready(
        self, needs: PythonNeeds, watcher: BuildWatcher = NOBODY, *, anew: bool = False
    ) -> Environment:
        """The environment that does what is asked, built now if need be.

        Args:
            needs: what is asked for.
            watcher: is told how far it is, and asked whether it is still wanted.
            anew: remove what is there and build it again, of the same packages.

        Raises:
            EnvironmentFailedError: it can't be had; nothing half-built is left. With `anew`, also
                where somebody has it just now.
            CancelledError: it is not wanted any more, or the cache has been closed.
        """
        watcher = BuildWatcher(watcher.tell, partial(self._is_over, watcher))
        interpreter = self.interpreters.choose(needs.requires)
        with self._explaining():
            chosen = self.choose(needs, interpreter, watcher)
            recipe = Recipe(interpreter, chosen.packages)
            if anew:
                self._remove(_key(recipe))
            return self._built(recipe, watcher)

    def _remove(self, key: str) -> None:
        """Remove an environment; a host that runs in it would miss what it has not imported yet."""
        lock = self.layout.lock(key)
        lock.parent.mkdir(0o700, parents=True, exist_ok=True)
        with self._guard, try_exclusive(lock) as is_free:
            if not is_free:
                raise EnvironmentFailedError(
                    "its environment is in use, by this manager or another one",
                    hint="Close the notebooks and programs that have it, and then: nebula-lab env "
                    "rebuild.",
                )
            remove_kept(self.layout, key)

    def chosen(self, needs: PythonNeeds, *, anew: bool = False) -> LockedEnvironment:
        """The packages of an environment, without building it; see `choose`.

        Raises:
            EnvironmentFailedError: there is no choice.
        """
        with self._explaining():
            return self.choose(needs, self.interpreters.choose(needs.requires), anew=anew)

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except UvError as error:
            raise failure_from_uv(error, self.layout.root) from error
        except SourceError as error:
            raise failure_from_source(error) from error
        except OSError as error:
            raise failure_from_system(error, self.layout.root) from error

    def _is_over(self, watcher: BuildWatcher) -> bool:
        return self._is_closed or watcher.is_cancelled()

    def choose(
        self,
        needs: PythonNeeds,
        interpreter: Interpreter,
        watcher: BuildWatcher = NOBODY,
        *,
        anew: bool = False,
    ) -> LockedEnvironment:
        """The packages for it: those of the lock file, or what was chosen before, or is now.

        Args:
            anew: ask the indexes, whatever was chosen before.

        Raises:
            UvError, SourceError, OSError, CancelledError: as `ready`.
        """
        builder = self._source_wheels(interpreter, watcher)
        sources = SourceSettings(self._python.may_build, builder.wheel)
        locked = None if anew else self._locked(lock_key(needs, interpreter))
        if locked is not None:
            for one in locked.packages:
                if one.source is not None:  # a lock file can come from anywhere
                    sources.require(one.name)
            return locked
        question = Question(needs, interpreter, self._host)
        uv = self.uv
        allows = str(self._python.allow_source) if self._python.allow_source else ""
        key = answer_key(question, uv, allows)
        known = None if anew else remembered(key, self.layout)
        if known is not None:
            return known
        return choose_packages(question, key, self.layout, uv, watcher, sources)

    def _source_wheels(self, interpreter: Interpreter, watcher: BuildWatcher) -> SourceWheels:
        def environment_for(needs: PythonNeeds) -> Environment:
            """Of wheels alone, and without what a host needs."""
            question, uv = Question(needs, interpreter, ()), self.uv
            key = answer_key(question, uv)
            chosen = remembered(key, self.layout) or choose_packages(
                question, key, self.layout, uv, watcher
            )
            return self._built(Recipe(interpreter, chosen.packages), watcher)

        return SourceWheels(self.layout, interpreter, self.uv, environment_for, self._mark, watcher)

    def _built(self, recipe: Recipe, watcher: BuildWatcher) -> Environment:
        key = _key(recipe)
        while not self._take(key):
            if watcher.is_cancelled():  # nothing is taken any more once this has been closed
                raise CancelledError
            with try_exclusive(self.layout.lock(key)) as is_ours:
                if is_ours and not self.layout.environment(key).is_dir():
                    builder = self._source_wheels(recipe.interpreter, watcher)
                    uv = self.uv.with_wheels(builder.of_locked(recipe.packages))
                    build(recipe, key, self.layout, uv, watcher)
            if not is_ours:
                watcher.at("making the environment", "another process is at it")
                _wait(watcher)
        environment = self._environment(key, recipe, watcher)
        watcher.finished()
        return environment

    def _take(self, key: str) -> bool:
        """Keep an environment from being removed, if it is there."""
        with self._guard:
            if key in self._leases and self.layout.environment(key).is_dir():
                return True
            lock = self.layout.lock(key)
            lock.parent.mkdir(0o700, parents=True, exist_ok=True)
            if not self.layout.environment(key).is_dir():
                return False
            held = hold_shared(lock)
            # It may have been removed just before.
            if self._is_closed or not self.layout.environment(key).is_dir():
                os.close(held)
                return False
            former = self._leases.pop(key, None)
            self._leases[key] = held
            if former is not None:
                os.close(former)
        with contextlib.suppress(OSError):
            os.utime(lock)
        return True

    def _environment(self, key: str, recipe: Recipe, watcher: BuildWatcher) -> Environment:
        folder, interpreter = self.layout.environment(key), recipe.interpreter
        ours = agent_folder(self.layout)
        compiled = ours / f".{interpreter.tag}-{interpreter.version}"
        if not compiled.exists():
            compile_in(ours / "nebula_lab", interpreter, self.layout, watcher)
            compiled.touch()
        return Environment(
            executable=str(folder / "bin" / "python"),
            prefix=str(folder),
            packages=(str(folder / recipe.packages_folder),),
            ours=str(ours),
            bases=interpreter.bases,
            is_chosen=True,
        )

    def close(self) -> None:
        """End what is being built, and let go of what was given. Can be called again."""
        with self._guard:
            self._is_closed = True
            leases, self._leases = self._leases, {}
        for held in leases.values():
            os.close(held)


def _wait(watcher: BuildWatcher) -> None:
    if watcher.is_cancelled():
        raise CancelledError
    time.sleep(_WAITING)  # flock has no time-out of its own


def _key(recipe: Recipe) -> str:
    one = recipe.interpreter
    packages = [[each.name, each.version, each.hashes] for each in recipe.packages]
    values = [_FORMAT, one.path, one.version, one.changed_at, one.inode, one.platform, packages]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:32]
