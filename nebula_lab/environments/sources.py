"""Wheels of packages that are there as source code only, built in a sandbox and kept."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from pydantic import ValidationError

from nebula_lab.environments.built_wheel import check_name, check_wheel
from nebula_lab.environments.cache_layout import CacheLayout
from nebula_lab.environments.environment import Environment
from nebula_lab.environments.interpreters import Interpreter
from nebula_lab.environments.source_error import SourceError
from nebula_lab.environments.source_sandbox import BuildRequest, SourceSandbox
from nebula_lab.environments.source_tree import SourceTree, build_request
from nebula_lab.environments.stages import STAGES, BuildWatcher
from nebula_lab.environments.uv_tool import CancelledError, Uv, UvError
from nebula_lab.model.lock import LockedPackage
from nebula_lab.model.python_needs import PythonNeeds
from nebula_lab.trust.locks import try_exclusive

__all__ = ["BuiltWheel", "SourceWheels"]

_FORMAT = 1
_WAITING = 0.05  # seconds between two looks at a lock that another process holds
_HINT = "Ask for another version, or for one that has a wheel."


class BuiltWheel(Struct, frozen=True):
    """A wheel that was built here.

    Attributes:
        name: of the package, normalised.
        version: of the package.
        folder: has the wheel, and nothing else.
        hash: of the wheel, such as `sha256:9f86…`.
        source: of the source.
    """

    name: str
    version: str
    folder: Path
    hash: str
    source: str

    @property
    def locked(self) -> LockedPackage:
        """What a lock file says of it."""
        return LockedPackage(
            name=self.name, version=self.version, hashes=(self.hash,), source=self.source
        )


class SourceWheels:
    """Builds them for one cache of environments.

    Args:
        layout: where they are kept.
        interpreter: that they are for.
        uv: fetches sources.
        environment_for: the environment that a build asks for; of wheels alone.
        mark: what the processes of a build are found by, if this one is killed.
        watcher: is told, and asked whether they are still wanted.
    """

    def __init__(
        self,
        layout: CacheLayout,
        interpreter: Interpreter,
        uv: Uv,
        environment_for: Callable[[PythonNeeds], Environment],
        mark: Callable[[], str],
        watcher: BuildWatcher,
    ) -> None:
        self._layout = layout
        self._interpreter = interpreter
        self._uv = uv
        self._environment_for = environment_for
        self._mark = mark
        self._watcher = watcher

    def of_locked(self, packages: Iterable[LockedPackage]) -> tuple[str, ...]:
        """The folders with the wheels of those packages that were built, built anew if need be.

        Raises:
            SourceError: one can't be built, or has become another wheel than was chosen.
            UvError, OSError, CancelledError: as `EnvironmentCache.choose`.
        """
        return tuple(self._folder_of(one) for one in packages if one.source is not None)

    def _folder_of(self, one: LockedPackage) -> str:
        built = self.wheel(one.name, one.version, one.source)
        if built.hash not in one.hashes:
            raise SourceError(
                f"{one.name} {one.version} has become another wheel than was chosen: its build "
                "from source does not come out the same each time, or its tools are newer",
                "Choose anew: nebula-lab lock --upgrade. `nebula-lab env gc --all` forgets what "
                "was built here.",
            )
        return str(built.folder)

    def wheel(self, name: str, version: str, source: str | None = None) -> BuiltWheel:
        """The wheel of a package, built now if need be.

        Args:
            name: of the package, normalised.
            version: of the package.
            source: the hash of its source; the one that the indexes publish without.

        Raises:
            SourceError: it can't be built.
            UvError, OSError, CancelledError: as `EnvironmentCache.choose`.
        """
        self._watcher.at(STAGES[0], f"building {name} {version} from source")
        work = self._layout.new / f"source-{secrets.token_hex(4)}"
        work.mkdir(0o700, parents=True)
        try:
            tree = SourceTree(name, version, work, self._uv, self._interpreter, self._watcher)
            source = source or tree.published_hash()
            key = self._key(source)
            place = self._layout.wheels / key
            with self._alone(key):
                if not place.is_dir():
                    self._build(tree, name, version, source, place, work)
            return _found(name, version, place, source)
        except SourceError as error:
            error.message = f"{name} {version}: {error.message}"
            raise
        finally:
            shutil.rmtree(work, ignore_errors=True)

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        """Keep other processes from building the same."""
        lock = self._layout.lock(key)
        lock.parent.mkdir(0o700, parents=True, exist_ok=True)
        while True:
            if self._watcher.is_cancelled():
                raise CancelledError
            with try_exclusive(lock) as is_ours:
                if is_ours:
                    yield
                    return
            time.sleep(_WAITING)  # flock has no time-out of its own

    def _build(
        self, tree: SourceTree, name: str, version: str, source: str, place: Path, work: Path
    ) -> None:
        unpacked = tree.fetched(source)
        request, requires = build_request(unpacked)
        new = work / "made"
        file_name, missing = self._attempt(request, requires, unpacked, new / "1")
        attempt = "1"
        if missing:
            attempt, requires = "2", (*requires, *missing)
            request = BuildRequest(request.backend, request.backend_path, requires)
            file_name, missing = self._attempt(request, requires, unpacked, new / "2")
        if missing:
            raise SourceError(f"its build goes on to ask for {', '.join(missing)[:200]}", _HINT)
        check_name(file_name, name, version)
        check_wheel(new / attempt / "wheel", name, version)
        done = work / "done"
        done.mkdir()
        (new / attempt / "wheel").rename(done / file_name)
        place.parent.mkdir(0o700, parents=True, exist_ok=True)
        os.rename(done, place)  # noqa: PTH104 - never over one that is there

    def _attempt(
        self, request: BuildRequest, requires: tuple[str, ...], source: Path, work: Path
    ) -> tuple[str, tuple[str, ...]]:
        try:
            needs = PythonNeeds(dependencies=requires)
        except ValidationError as error:
            why = error.errors()[0]["msg"]
            raise SourceError(f"its build asks for what can't be had: {why}", _HINT) from error
        try:
            environment = self._environment_for(needs)
        except UvError as error:
            raise SourceError(
                "the packages that its build asks for can't be had, as wheels",
                "What uv said is below. " + _HINT,
                error.said,
            ) from error
        work.mkdir(parents=True)
        sandbox = SourceSandbox(work, self._watcher, self._mark())
        return sandbox.run(environment, source, request, work / "wheel")

    def _key(self, source: str) -> str:
        one = self._interpreter
        values = [_FORMAT, source, one.path, one.version, one.tag, one.platform, one.changed_at]
        return "wheel" + hashlib.sha256(json.dumps(values).encode()).hexdigest()[:32]


def _found(name: str, version: str, place: Path, source: str) -> BuiltWheel:
    (wheel,) = place.glob("*.whl")
    with wheel.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    os.utime(place)  # it is still in use: see `remove_unused`
    return BuiltWheel(name, version, place, f"sha256:{digest}", source)
