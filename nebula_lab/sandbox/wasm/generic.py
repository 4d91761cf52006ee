"""The one component that runs every plugin written in Python: built once, then kept by its hash."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nebula_lab.environments.cache_layout import cache_root
from nebula_lab.errors import LoadFailedError
from nebula_lab.sandbox.wasm.library import missing

_log = logging.getLogger("nebula_lab")
_PACKAGE = Path(__file__).parents[2]
# What of ours is in it, besides the two files of the package itself.
_PARTS = ("plugin", "agent", "wire", "guest")
_FILES = ("__init__.py", "_version.py")
_TIMEOUT = 600.0  # seconds, for a machine under load
_PRIVATE = 0o700
_COMPONENT, _COMPILED = "component.wasm", "component.cwasm"
Tell = Callable[[str], object]


def folder() -> Path:
    """Where components are kept; only the user may enter it."""
    given = os.environ.get("NEBULA_LAB_WASM_CACHE")
    return Path(given) if given else cache_root().with_name("wasm")


def compiled_component(tell: Tell | None = None) -> Path:
    """The generic component, compiled for this machine; built now if it is not there yet.

    Args:
        tell: is told what takes long; a warning of the log without.

    Raises:
        MissingLibraryError: a library of the extra `wasm` is not installed.
        LoadFailedError: it could not be built.
    """
    place = folder() / _key()
    if not _is_whole(place):
        with _alone(place):
            if not _is_whole(place):
                _build(place, tell or _log.warning)
    return place / _COMPILED


def remove_others() -> list[str]:
    """Remove the components that this one has taken the place of; their names."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        found = [one for one in folder().iterdir() if one.is_dir() and one.name != _key()]
    for one in found:
        shutil.rmtree(one, ignore_errors=True)
    return [one.name for one in found]


def _key() -> str:
    """A hash of all that makes a difference to the compiled component."""
    digest = hashlib.sha256()
    for path, content in _sources():
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    tools = (_version_of("wasmtime"), _version_of("componentize-py"))
    for word in (*tools, sys.platform, platform.machine(), _processor()):
        digest.update(f"{word}\0".encode())
    return digest.hexdigest()[:32]


def _version_of(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError as error:
        raise missing(name) from error


def _processor() -> str:
    """What the processor can do, as far as the system tells."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return line
    return platform.processor()


def _sources() -> Iterator[tuple[str, bytes]]:
    for name in _FILES:
        yield name, (_PACKAGE / name).read_bytes()
    for part in _PARTS:
        for path in sorted((_PACKAGE / part).rglob("*")):
            if path.suffix in (".py", ".wit"):
                yield str(path.relative_to(_PACKAGE)), path.read_bytes()


def _is_whole(place: Path) -> bool:
    """Whether a compiled component is there that nobody else could have written.

    wasmtime runs what is in it without looking, so that a file of somebody else's would be code in
    this process.
    """
    try:
        for path in (place, place / _COMPILED):
            found = path.lstat()
            if found.st_uid != os.getuid() or found.st_mode & 0o022:
                raise LoadFailedError(
                    f"{path} could have been written by somebody else, so it is not used",
                    hint="Remove it; it is built again.",
                )
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Hold the lock of a component, which all processes of the user share."""
    try:
        place.parent.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        lock = os.open(place.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _failed(f"{place.parent} can't be written to: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _build(place: Path, tell: Tell) -> None:
    began = time.monotonic()
    tell("building Python for sandbox Wasm, once for all plugins; it takes half a minute …")
    with tempfile.TemporaryDirectory(dir=place.parent, prefix="building-") as name:
        work = Path(name)
        stage, made = work / "stage", work / "made"
        made.mkdir(_PRIVATE)
        for path, content in _sources():
            target = stage / "nebula_lab" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        shutil.copy(stage / "nebula_lab/guest/app.py", stage / "app.py")
        wit = stage / "nebula_lab/guest/wit"
        # The world that it has in common with components in other languages.
        (wit / "deps/plugin").mkdir(parents=True)
        shutil.copy(stage / "nebula_lab/agent/components/plugin.wit", wit / "deps/plugin")
        _run(_COMPONENTIZE, "-d", wit, "-w", "python-host", "componentize", "-p", stage,
             "-o", made / _COMPONENT, "app")  # fmt: skip
        tell("compiling it …")
        # In a process of its own: it takes 600 MB of memory, which this one would keep.
        _run(_COMPILE, made / _COMPONENT, made / _COMPILED)
        (made / _COMPONENT).unlink()
        made.rename(place)
    tell(f"built it in {time.monotonic() - began:.0f} s")


_COMPONENTIZE = "import sys, componentize_py; sys.exit(componentize_py.script())"
_COMPILE = """\
import os, sys
from pathlib import Path
from nebula_lab.sandbox.wasm.library import engine
from wasmtime.component import Component
source, target = map(Path, sys.argv[1:])
compiled = Component(engine(), source.read_bytes()).serialize()
with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
    file.write(compiled)
"""


def compile_component(source: Path, target: Path) -> None:
    """Compile a component for this machine, in a process of its own.

    Raises:
        LoadFailedError: it is none, or takes too long.
    """
    _run(_COMPILE, source, target)


def _run(program: str, *arguments: object) -> None:
    # Isolated, so that nothing of the working folder is imported; but our own package is found.
    path = f"import sys; sys.path.insert(0, {str(_PACKAGE.parent)!r})\n"
    command = [sys.executable, "-I", "-c", path + program, *map(str, arguments)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _failed(f"it took longer than {_TIMEOUT:.0f} s") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        said = next((line for line in lines if "Error" in line), f"exit code {done.returncode}")
        raise _failed(said.strip()[:500])


def _failed(why: str) -> LoadFailedError:
    return LoadFailedError(
        f"Python for sandbox Wasm could not be built: {why}",
        hint="`nebula-lab doctor` says what is missing. Sandbox Process needs nothing of it.",
    )
