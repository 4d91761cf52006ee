"""The Pythons of this machine, and which of them a plugin's environment is made from."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from nebula_lab.environments.python_folders import library_folders_of
from nebula_lab.environments.uv_tool import Uv, UvError
from nebula_lab.errors import EnvironmentFailedError

if TYPE_CHECKING:
    from packaging.version import Version

__all__ = ["LEAST", "Interpreter", "Interpreters"]

# What hosts run on.
LEAST = (3, 11)
# Seconds; a Python that says nothing for so long is broken.
_PATIENCE = 30.0
_QUESTION = """
import json, platform, sys, sysconfig
print(json.dumps([
    sys.executable, platform.python_version(),
    sys.implementation.name, sys.implementation.cache_tag,
    sysconfig.get_platform(), [sys.base_prefix, sys.base_exec_prefix],
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
]))
"""


class Interpreter(Struct, frozen=True):
    """One Python, not one of a virtual environment.

    Attributes:
        path: of the program, without symbolic links.
        version: such as `3.12.1`.
        implementation: such as `cpython`.
        tag: in the names of its files of bytecode, such as `cpython-312`.
        platform: that packages are installed for, such as `linux-x86_64`.
        bases: folders of its libraries.
        changed_at: when the program was last written, in nanoseconds.
        inode: its number in its file system.
    """

    path: str
    version: str
    implementation: str
    tag: str
    platform: str
    bases: tuple[str, ...]
    changed_at: int
    inode: int

    @property
    def minor(self) -> str:
        """Such as `3.12`."""
        return ".".join(self.version.split(".")[:2])

    @property
    def is_unchanged(self) -> bool:
        """Whether the program is still the one that was asked."""
        try:
            found = os.stat(self.path)  # noqa: PTH116
        except OSError:
            return False
        return (found.st_mtime_ns, found.st_ino) == (self.changed_at, self.inode)

    def __str__(self) -> str:
        return f"{self.version} at {self.path}"


class Interpreters:
    """Finds Pythons, and remembers them for as long as they stay what they are.

    Args:
        uv: knows where they are.
    """

    def __init__(self, uv: Uv) -> None:
        self._uv = uv
        self._known: dict[str, Interpreter] = {}
        self._chosen: dict[str, Interpreter] = {}

    def own(self) -> Interpreter:
        """What the manager itself runs on.

        Raises:
            EnvironmentFailedError: it does not run by itself.
        """
        path = getattr(sys, "_base_executable", "") or sys.executable
        found = self._asked(path)
        if found is None:
            raise EnvironmentFailedError(
                f"the Python that this process runs on can't be started: {path}",
                hint="Start the notebook's kernel anew; its Python may have been replaced.",
            )
        return found

    def choose(self, requires: str) -> Interpreter:
        """The manager's own if it will do, else the newest that will.

        Args:
            requires: a range of versions, as in PEP 440; any for "".

        Raises:
            EnvironmentFailedError: there is none; those that there are, are named.
        """
        own = self.own()
        if _fits(own.version, requires):
            return own
        chosen = self._chosen.get(requires)
        if chosen is None or not chosen.is_unchanged:
            chosen = self._chosen[requires] = self._newest(requires)
        return chosen

    def _newest(self, requires: str) -> Interpreter:
        listed = sorted(self._listed(), key=lambda one: _key(one[0]), reverse=True)
        for version, path in listed:
            found = self._asked(path) if _fits(version, requires) else None
            if found is not None and _fits(found.version, requires):
                return found
        raise _none_fits(
            requires, [self.own(), *(_Named(v, os.path.realpath(path)) for v, path in listed)]
        )

    def all(self) -> list[Interpreter]:
        """Every Python that uv or pyenv has and hosts can run on, newest first.

        None is downloaded for it.
        """
        asked = (self._asked(path) for _, path in self._listed())
        found = {one.path: one for one in (self.own(), *asked) if one is not None}
        return sorted(found.values(), key=lambda one: _key(one.version), reverse=True)

    def _listed(self) -> Iterator[tuple[str, str]]:
        """Version and path of each that uv finds."""
        search = os.pathsep.join([*_search_path(), *_pyenv_folders()])
        try:
            listed = self._uv.answer(
                ["python", "list", "--only-installed", "--output-format", "json"], {"PATH": search}
            )
        except UvError:
            return  # the manager's own is there all the same
        for one in json.loads(listed):
            is_ours = one["implementation"] == "cpython" and one.get("variant") == "default"
            parts = one["version_parts"]
            if is_ours and one["path"] and (parts["major"], parts["minor"]) >= LEAST:
                yield one["version"], one["path"]

    def _asked(self, path: str) -> Interpreter | None:
        real = os.path.realpath(path)
        known = self._known.get(real)
        if known is None or not known.is_unchanged:
            known = _ask(path)
            if known is None:
                return None
            self._known[real] = known
        return known


def _ask(path: str) -> Interpreter | None:
    """What a program says of itself; None where it is no Python that hosts run on."""
    try:
        # Isolated, and in no environment: nothing that somebody installed runs for it.
        said = subprocess.run(
            [path, "-I", "-S", "-c", _QUESTION],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            cwd="/",
            check=True,
        ).stdout
        executable, version, implementation, tag, platform, bases, has_no_gil = json.loads(said)
        # A shim is a script that starts another program.
        real = os.path.realpath(executable)
        found = os.stat(real)  # noqa: PTH116
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    if has_no_gil or implementation != "cpython":
        return None
    own = os.path.dirname(os.path.dirname(real))  # noqa: PTH120 - it may lie in the root
    minor = ".".join(version.split(".")[:2])
    return Interpreter(
        real,
        version,
        implementation,
        tag,
        platform,
        library_folders_of((*bases, own), real, minor),
        found.st_mtime_ns,
        found.st_ino,
    )


def _pyenv_root() -> Path:
    return Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")


def _pyenv_folders() -> list[str]:
    """Where pyenv has Pythons; on the search path it has only one of them at a time."""
    found = sorted(_pyenv_root().glob("versions/*/bin"))
    return [str(folder) for folder in found if _may_do(folder.parent.name)]


def _may_do(name: str) -> bool:
    """Whether a folder's name is no version of Python that is too old: to ask each takes time."""
    match = re.match(r"(\d+)\.(\d+)", name)
    return match is None or (int(match[1]), int(match[2])) >= LEAST


def _search_path() -> list[str]:
    """Without the programs by which pyenv chooses one: most say slowly that they are not chosen."""
    shims = str(_pyenv_root() / "shims")
    return [one for one in os.environ.get("PATH", os.defpath).split(os.pathsep) if one != shims]


def _fits(version: str, requires: str) -> bool:
    from packaging.specifiers import SpecifierSet

    is_known = tuple(map(int, version.split(".")[:2])) >= LEAST
    return is_known and SpecifierSet(requires).contains(version, prereleases=True)


def _key(version: str) -> Version:
    from packaging.version import Version  # few managers look for another Python

    return Version(version)


class _Named(NamedTuple):
    """A Python that was not asked itself."""

    version: str
    path: str

    def __str__(self) -> str:
        return f"{self.version} at {self.path}"


def _none_fits(requires: str, found: Iterable[object]) -> EnvironmentFailedError:
    least = ".".join(map(str, LEAST))
    listed = "; ".join(dict.fromkeys(map(str, found)))
    return EnvironmentFailedError(
        f"there is no Python {requires} here on which hosts of plugins run (they need {least} or "
        f"later); found: {listed}",
        hint="Install one, for instance by `uv python install`, or let the plugin ask for less.",
    )
