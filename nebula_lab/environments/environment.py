"""A Python environment, as far as starting a process in it needs to know."""

from __future__ import annotations

import json
import os
import site
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_OURS = str(Path(__file__).parents[2])
_SCRIPT = str(Path(__file__).with_name("bootstrap.py"))

# What is decided before anything of a plugin runs: by the loader and the C library when a process
# starts, and by numerical libraries when they are imported. Nothing else of the user's variables
# is in a process that has no plugin yet; each plugin's own process gets all of them.
_NAMES = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "GLIBC_TUNABLES"}
)
_PREFIXES = ("LC_", "LD_", "OPENBLAS_", "OMP_", "MKL_", "KMP_", "GOTO_", "BLIS_", "MALLOC_")
# What else says nothing that is anybody's secret.
_HARMLESS = frozenset(
    {"TERM", "COLORTERM", "NO_COLOR", "COLUMNS", "LINES", "TZDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"}
)
_HARMLESS_PREFIXES = ("PYTHON", "PYDEVD_", "NUMEXPR_", "NEBULA_LAB_HOST")
_FOLDERS_OF_PACKAGES = ("site-packages", "dist-packages")
_PACKAGE = str(Path(__file__).parents[1])


@dataclass(frozen=True)
class Environment:
    """Where a Python finds what is installed for it.

    Attributes:
        executable: the interpreter.
        prefix: `sys.prefix` in it.
        packages: folders of installed packages, in the order of the search.
        ours: the folder that has the package `nebula_lab`, which may be an editable install.
    """

    executable: str
    prefix: str
    packages: tuple[str, ...]
    ours: str

    def folders(self, python_path: str = "") -> tuple[str, ...]:
        """What a process in it has to read: the interpreter, its libraries, what is installed.

        Args:
            python_path: its variable PYTHONPATH.
        """
        own = (self.prefix, sys.base_prefix, sys.base_exec_prefix)
        linked = (folder for packages in self.packages for folder in _linked_from(packages))
        given = (entry for entry in python_path.split(os.pathsep) if Path(entry).is_absolute())
        loader = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
        loaded = (entry for entry in loader if Path(entry).is_absolute())
        found = (*own, *self.packages, *linked, _PACKAGE, *given, *loaded)
        return tuple(dict.fromkeys(found))

    def installed_at(self) -> tuple[int, ...]:
        """When anything was last installed or removed, in nanoseconds, for each such folder."""
        return tuple(map(_changed_at, self.packages))


def _linked_from(packages: str) -> list[str]:
    """What can be imported from there and is elsewhere, by symbolic links or `.pth` files."""
    try:
        with os.scandir(packages) as entries:
            inside = sorted(entries, key=lambda entry: entry.name)
    except OSError:  # it has been removed
        return []
    found = [_target(entry.path) for entry in inside if entry.is_symlink()]
    for entry in inside:
        if entry.name.endswith(".pth"):
            found += _named_in(Path(entry.path))
    return found


def _target(link: str) -> str:
    """Where a link leads; to all of a folder of packages, of which many will be linked."""
    real = Path(os.path.realpath(link))
    return str(real.parent if real.parent.name in _FOLDERS_OF_PACKAGES else real)


def _named_in(file: Path) -> list[str]:
    """The folders that a `.pth` file adds to the path, as editable installs do.

    One that has our own package is left out: it may be a whole project, and `_PACKAGE` is enough.
    """
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [
        line
        for line in map(str.strip, lines)
        if Path(line).is_absolute() and line != _OURS and Path(line).is_dir()
    ]


def _changed_at(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116 - called at each load
    except OSError:  # it has been removed
        return 0


def own_environment() -> Environment:
    """The environment of this very process."""
    packages = site.getsitepackages()
    if site.ENABLE_USER_SITE:
        packages.insert(0, site.getusersitepackages())
    found = tuple(folder for folder in packages if Path(folder).is_dir())
    return Environment(sys.executable, sys.prefix, found, _OURS)


def start_variables(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Those environment variables that matter before a plugin's code runs."""
    return {
        name: value
        for name, value in variables.items()
        if name in _NAMES or name.startswith(_PREFIXES)
    }


def is_harmless(name: str) -> bool:
    """Whether a plugin may get this environment variable without having asked for it."""
    return name in _NAMES | _HARMLESS or name.startswith(_PREFIXES + _HARMLESS_PREFIXES)


def isolated_command(environment: Environment, module: str, *arguments: str) -> list[str]:
    """Runs `main(standard_path, arguments)` of a module of ours in an environment, nothing else.

    Isolated and without `site`: no PYTHON* variable counts, no `.pth` file is read, and neither
    `sitecustomize` nor anything in the working folder can be imported in the place of a module.
    """
    settings = {"prefix": environment.prefix, "path": [*environment.packages, environment.ours]}
    flags = ["-I", "-S", *(["-B"] if sys.dont_write_bytecode else [])]
    return [environment.executable, *flags, _SCRIPT, module, json.dumps(settings), *arguments]
