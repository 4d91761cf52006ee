"""What goes into our own image: this very Python, what it is linked with, and a few packages."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from nebula_lab.errors.containers import ImageError

PREFIX = "opt/nebula"
LIBRARIES = f"{PREFIX}/lib"
_VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
EXECUTABLE = f"/{PREFIX}/bin/{_VERSION}"
_LIBRARY = f"{PREFIX}/lib/{_VERSION}"
PACKAGES = f"{_LIBRARY}/site-packages"
# Of the standard library: what is for building, testing and drawing windows.
_LEFT_OUT = frozenset(
    {
        "ensurepip",
        "idlelib",
        "lib2to3",
        "pydoc_data",
        "site-packages",
        "dist-packages",
        "test",
        "tests",
        "tkinter",
        "turtledemo",
    }
)
_WINDOWS = "_tkinter"
# What IPython has for completion and ipykernel for a debugger, which reaches nobody from in there:
# half of all files, and neither needs it.
_NOT_NEEDED = frozenset({"jedi", "parso", "debugpy"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# What every program may look at, in the few words that do.
TEXTS = {
    "etc/passwd": "root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
FOLDERS = ("dev", "etc", "proc", "run", "sys", "tmp")
_AS_THEY_ARE = ("/etc/ssl/certs/ca-certificates.crt", "/etc/localtime")


class Entry(NamedTuple):
    """A file, and the name that it has in the image."""

    source: str
    name: str


def closure_of(names: Iterable[str], runtime: str) -> dict[str, Distribution]:
    """Installed packages and all that they need, by their names.

    Raises:
        ImageError: one of those that were named is not installed.
    """
    found: dict[str, Distribution] = {}
    named = [_normal(name) for name in names]
    pending = list(named)
    while pending:
        name = pending.pop()
        if name in found or (name in _NOT_NEEDED and name not in named):
            continue
        try:
            found[name] = one = distribution(name)
        except PackageNotFoundError:
            if name not in named:
                continue  # for other machines, or an extra
            raise ImageError(
                f"the package {name} is to be in the image and is not installed here",
                runtime=runtime,
                hint=f"Install it beside nebula_lab (`pip install {name}`), or take it out of "
                "the container's packages.",
            ) from None
        pending += [_normal(one) for one in one.requires or () if "extra ==" not in one]
    return dict(sorted(found.items()))


def _normal(requirement: str) -> str:
    match = _NAME.match(requirement)
    return "" if match is None else re.sub(r"[-_.]+", "-", match[0]).lower()


def entries(packages: Iterable[Distribution]) -> Iterator[Entry]:
    """Every file of the image but our own package."""
    found = [*_python(), *(one for package in packages for one in _of_package(package))]
    yield from found
    yield from _linked(found)
    for path in _AS_THEY_ARE:
        if os.path.exists(path):  # noqa: PTH110
            yield Entry(os.path.realpath(path), path[1:])


def _python() -> Iterator[Entry]:
    yield Entry(os.path.realpath(sys.executable), EXECUTABLE[1:])
    top = sysconfig.get_path("stdlib")
    for folder, folders, files in os.walk(top):
        folders[:] = [one for one in folders if not _is_left_out(one)]
        inside = os.path.relpath(folder, top)
        for file in files:
            if not file.endswith((".a", ".opt-1.pyc", ".opt-2.pyc")) and _WINDOWS not in file:
                name = os.path.normpath(f"{_LIBRARY}/{inside}/{file}")
                yield Entry(f"{folder}/{file}", name)


def _is_left_out(folder: str) -> bool:
    return folder in _LEFT_OUT or folder.startswith("config-")


def _of_package(package: Distribution) -> Iterator[Entry]:
    for file in package.files or ():
        if ".." in file.parts or file.is_absolute() or file.suffix == ".pyc":
            continue  # programs; bytecode comes with its source
        source = str(package.locate_file(file))
        if not os.path.isfile(source):  # noqa: PTH113
            continue
        yield Entry(source, f"{PACKAGES}/{file}")
        if file.suffix == ".py":
            compiled = importlib.util.cache_from_source(source)
            if os.path.exists(compiled):  # noqa: PTH110
                name = importlib.util.cache_from_source(f"{PACKAGES}/{file}")
                yield Entry(compiled, name)


def _linked(found: Iterable[Entry]) -> Iterator[Entry]:
    """The shared libraries that those are linked with, and the loader."""
    binaries = [
        one.source for one in found if ".so" in Path(one.source).name or one.name == EXECUTABLE[1:]
    ]
    said = subprocess.run(
        ["ldd", *binaries],  # noqa: S607 - the system's, wherever that has it
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    ).stdout
    sources = set(binaries)
    names: set[str] = set()
    for words in map(str.split, said.splitlines()):
        if not words or ("=>" in words and len(words) < 4):
            continue
        if len(words) >= 4 and words[1] == "=>" and words[2].startswith("/"):
            path, name = words[2], f"{LIBRARIES}/{words[0]}"
        elif words[0].startswith("/") and len(words) == 2 and words[1].startswith("("):
            path, name = words[0], words[0][1:]  # the loader, which is known by its path
        else:
            continue
        real = os.path.realpath(path)
        if real not in sources and name not in names and "/site-packages/" not in path:
            names.add(name)
            yield Entry(real, name)
