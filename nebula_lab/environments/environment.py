"""A Python environment, as far as starting a process in it needs to know."""

from __future__ import annotations

import json
import os
import site
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nebula_lab.environments.import_folders import changed_at
from nebula_lab.environments.python_folders import library_folders_of

_OURS = str(Path(__file__).parents[2])
_OURS_REALLY = os.path.realpath(_OURS)
_SCRIPT = str(Path(__file__).with_name("bootstrap.py"))

# What is decided before anything of a plugin runs: by the loader and the C library when a process
# starts, and by numerical libraries when they are imported. Nothing else of the user's variables
# is in a process that has no plugin yet; what a plugin's own process gets is for its rights to say.
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
        bases: folders of the Python that it was made from.
        is_chosen: a plugin chose what is installed, so nothing in it is to be believed.
    """

    executable: str
    prefix: str
    packages: tuple[str, ...]
    ours: str
    bases: tuple[str, ...] = (sys.base_prefix, sys.base_exec_prefix)
    is_chosen: bool = False

    def folders(self) -> tuple[str, ...]:
        """What a process in it has to read: the interpreter, its libraries, what is installed."""
        own = (self.prefix, *self.bases)
        if self.is_chosen:  # a link in there may lead anywhere
            return tuple(dict.fromkeys((*own, self.ours)))
        linked = (target for packages in self.packages for target in _linked_from(packages))
        return tuple(dict.fromkeys((*own, *self.packages, *linked, _PACKAGE)))

    @property
    def host_command(self) -> tuple[str, ...]:
        """What a confined process becomes that is to be a host in it; none where it is one by
        itself. See `nebula_lab.agent.elsewhere`."""
        if not self.is_chosen:
            return ()
        script = f"{self.ours}/nebula_lab/agent/elsewhere.py"
        return (self.executable, "-P", script, self.ours)

    def import_paths(self, python_path: str = "") -> tuple[str, ...]:
        """Where else a process in it imports from, by `.pth` files and its variable PYTHONPATH.

        A folder that has our own package is left out: it may be a whole project, and the package
        is enough. What a plugin chose imports from nowhere else.
        """
        if self.is_chosen:
            return ()
        found = [one for packages in self.packages for one in _named_in_files_of(packages)]
        found += python_path.split(os.pathsep)
        absolute = (one for one in dict.fromkeys(found) if one.startswith("/"))
        return tuple(one for one in absolute if os.path.realpath(one) != _OURS_REALLY)

    def search_path(self, former: str) -> str:
        """The variable PATH of a process in it, so that what it starts is of this environment."""
        return os.pathsep.join(filter(None, (f"{self.prefix}/bin", former)))

    def is_there(self) -> bool:
        """Whether it has not been removed."""
        return os.path.lexists(self.executable)

    def installed_at(self) -> tuple[int, ...]:
        """When anything was last installed or removed, in nanoseconds, for each such folder."""
        return tuple(map(changed_at, self.packages))


def _inside(packages: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(packages) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:  # it has been removed
        return []


def _linked_from(packages: str) -> list[str]:
    """What can be imported from there and is elsewhere, by symbolic links."""
    return [_target(entry.path) for entry in _inside(packages) if entry.is_symlink()]


def _named_in_files_of(packages: str) -> list[str]:
    """The folders that `.pth` files there add to the path."""
    files = [entry.path for entry in _inside(packages) if entry.name.endswith(".pth")]
    return [folder for file in files for folder in _named_in(Path(file))]


def _target(link: str) -> str:
    """Where a link leads; to all of a folder of packages, of which many will be linked."""
    real = Path(os.path.realpath(link))
    return str(real.parent if real.parent.name in _FOLDERS_OF_PACKAGES else real)


def _named_in(file: Path) -> list[str]:
    """The folders that a `.pth` file adds to the path, as editable installs do."""
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [line for line in map(str.strip, lines) if line.startswith("/") and Path(line).is_dir()]


def library_folders() -> tuple[str, ...]:
    """Where the loader looks for shared libraries besides its own folders."""
    given = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    return tuple(one for one in given if one.startswith("/"))


def own_environment() -> Environment:
    """The environment of this very process."""
    packages = site.getsitepackages()
    if site.ENABLE_USER_SITE:
        packages.insert(0, site.getusersitepackages())
    found = tuple(folder for folder in packages if Path(folder).is_dir())
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    bases = library_folders_of(
        (sys.base_prefix, sys.base_exec_prefix), os.path.realpath(sys.executable), minor
    )
    return Environment(sys.executable, sys.prefix, found, _OURS, bases)


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
