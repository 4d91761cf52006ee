"""Has uv fetch and unpack the source of one package, by its hash, without running any of it."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

from nebula_lab.environments.interpreters import Interpreter
from nebula_lab.environments.source_error import SourceError
from nebula_lab.environments.source_sandbox import BuildRequest
from nebula_lab.environments.stages import STAGES, BuildWatcher
from nebula_lab.environments.uv_tool import Uv, UvError

__all__ = ["SourceTree", "looking_at"]

_LARGEST_PROJECT = 2**20  # bytes of a pyproject.toml
# What PEP 517 and 518 say of a source that says nothing.
_USUAL_REQUIRES = ("setuptools>=40.8.0",)
_USUAL_BACKEND = "setuptools.build_meta:__legacy__"
_PROJECT, _SETUP = "pyproject.toml", "setup.py"


def looking_at(*names: str) -> tuple[str, ...]:
    """Options by which uv looks at the sources of these packages, and at wheels of all others."""
    named = [f"--no-binary={name}" for name in names]
    return ("--only-binary=:all:", *named, "--no-build-isolation")


class SourceTree:
    """The source of one version.

    Args:
        name: of the package, normalised.
        version: of the package.
        folder: an empty one, for all that uv needs for it.
        uv: fetches it.
        interpreter: that it is for.
        watcher: is told, and asked whether it is still wanted.
    """

    def __init__(
        self,
        name: str,
        version: str,
        folder: Path,
        uv: Uv,
        interpreter: Interpreter,
        watcher: BuildWatcher,
    ) -> None:
        self._name, self._version = name, version
        self._folder = folder
        self._uv = uv
        self._python = interpreter.path
        self._watcher = watcher

    def published_hash(self) -> str:
        """The hash of the source that the indexes have, such as `sha256:9f86…`.

        Raises:
            UvError: they can't be asked.
            SourceError: they have no source of this version.
        """
        asked, answer = self._folder / "asked.in", self._folder / "pylock.toml"
        asked.write_text(f"{self._name}=={self._version}\n", "utf-8")
        self._run(
            *("pip", "compile", str(asked), "--format", "pylock.toml", "-o", str(answer)),
            "--no-deps",
        )
        packages = tomllib.loads(answer.read_text("utf-8"))["packages"]
        hashes = packages[0].get("sdist", {}).get("hashes", {}) if packages else {}
        if not hashes:
            raise SourceError(
                f"no index has the source of {self._name} {self._version} by a hash",
                "Ask for another version, or for one that has a wheel.",
            )
        algorithm = "sha256" if "sha256" in hashes else min(hashes)
        return f"{algorithm}:{hashes[algorithm]}"

    def fetched(self, expected: str) -> Path:
        """Where it is unpacked.

        Args:
            expected: its hash.

        Raises:
            UvError: it can't be fetched, or its hash is another.
            SourceError: it is no source.
        """
        wanted = self._folder / "wanted.txt"
        wanted.write_text(f"{self._name}=={self._version} --hash={expected}\n", "utf-8")
        target = str(self._folder / "target")
        try:
            self._run(
                *("pip", "install", "-r", str(wanted), "--require-hashes", "--no-deps"),
                *("--target", target),
            )
        except UvError as error:
            # It goes on to build what it has unpacked, and is kept from that.
            found = self._unpacked()
            if found is None:
                raise error from None
            return found
        raise SourceError(
            f"{self._name} {self._version} has no source that could be built",
            "Ask for another version, or for one that has a wheel.",
        )

    def _unpacked(self) -> Path | None:
        # Of uv's cache, which is this one's alone: a folder `src` for each source.
        found = sorted(self._folder.glob("cache/sdists-*/**/src"))
        whole = [one for one in found if (one / _PROJECT).exists() or (one / _SETUP).exists()]
        return whole[0] if whole else None

    def _run(self, *arguments: str) -> None:
        self._uv.look(
            (*arguments, *looking_at(self._name), *self._uv.index_arguments),
            self._python,
            self._folder,
            lambda line: self._watcher.at(STAGES[0], line),
            self._watcher.is_cancelled,
        )


def build_request(source: Path) -> tuple[BuildRequest, tuple[str, ...]]:
    """What is asked of a source's back end, and what is to be installed for it.

    Raises:
        SourceError: its pyproject.toml says nothing that could be done.
    """
    table = _build_system(source / _PROJECT)
    requires = table.get("requires", _USUAL_REQUIRES)
    backend = table.get("build-backend", _USUAL_BACKEND)
    path = table.get("backend-path", [] if "build-backend" in table else ["."])
    texts = (*requires, backend, *path) if isinstance(requires, list | tuple) else (None,)
    if not all(isinstance(one, str) for one in texts):
        raise _unreadable(source, "its [build-system] is not what PEP 518 asks for")
    return BuildRequest(backend, tuple(path), tuple(requires)), tuple(requires)


def _build_system(path: Path) -> dict[str, Any]:
    try:
        # Whoever packed it may have put a link or a pipe there.
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unreadable(path.parent, str(error)) from error
    with os.fdopen(opened, "rb") as file:
        found = os.fstat(opened)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST_PROJECT:
            raise _unreadable(path.parent, "it is too large, or no file")
        content = file.read(_LARGEST_PROJECT)
    try:
        table = tomllib.loads(content.decode()).get("build-system", {})
    except ValueError as error:
        raise _unreadable(path.parent, str(error)) from error
    if not isinstance(table, dict):
        raise _unreadable(path.parent, "build-system is no table")
    return table


def _unreadable(source: Path, why: str) -> SourceError:
    return SourceError(
        f"the pyproject.toml of its source can't be used: {why}",
        "Ask for another version, or for one that has a wheel.",
    )
