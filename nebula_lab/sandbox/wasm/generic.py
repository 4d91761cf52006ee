"""The one component that runs every plugin written in Python: built once, then kept by its hash."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nebula_lab.environments.cache_layout import cache_root
from nebula_lab.errors import LoadFailedError
from nebula_lab.sandbox.wasm.building import (
    BUILDING,
    COMPILED,
    PACKAGE,
    Order,
    build,
    failed,
    refuse_if_given_up,
)
from nebula_lab.sandbox.wasm.library import missing

_log = logging.getLogger("nebula_lab")
# What of ours is in it, besides the two files of the package itself.
_PARTS = ("plugin", "agent", "wire", "guest")
_FILES = ("__init__.py", "_version.py")
_PRIVATE = 0o700
_KEY_LENGTH = 32
_PLAIN = Order()
_LOCKING = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
_LOOKING = 0.1  # seconds between two looks whether another process has built it


def folder() -> Path:
    """Where components are kept; only the user may enter it."""
    given = os.environ.get("NEBULA_LAB_WASM_CACHE")
    return Path(given) if given else cache_root().with_name("wasm")


def compiled_component(order: Order = _PLAIN) -> Path:
    """The generic component, compiled for this machine; built now if it is not there yet.

    Args:
        order: how it is to be compiled, and who waits for it.

    Raises:
        MissingLibraryError: a library of the extra `wasm` is not installed.
        LoadFailedError: it could not be built, or is not wanted any more.
    """
    place = folder() / _key(has_fuel=order.has_fuel)
    if not _is_whole(place):
        with _alone(place, order):
            if not _is_whole(place):
                refuse_if_given_up(order)
                began = time.monotonic()
                _log.warning("building Python for sandbox Wasm, once for all; half a minute …")
                build(place, _sources(), order)
                _log.warning("built it in %.0f s", time.monotonic() - began)
    return place / COMPILED


def is_there(*, has_fuel: bool = False) -> bool:
    """Whether it has been built; else `compiled_component` takes half a minute or more.

    Raises:
        LoadFailedError: somebody else could have written it.
    """
    return _is_whole(folder() / _key(has_fuel=has_fuel))


def remove_others() -> list[str]:
    """Remove the components that this one has taken the place of; their names."""
    keys = {_key(has_fuel=has_fuel) for has_fuel in (False, True)}
    found = []
    with contextlib.suppress(FileNotFoundError):
        found = [one for one in folder().iterdir() if one.is_dir() and one.name not in keys]
    removed = [one for one in found if not _is_being_built(one)]
    for one in removed:
        shutil.rmtree(one, ignore_errors=True)
    return [one.name for one in removed]


def _is_being_built(place: Path) -> bool:
    """Whether it is the folder of another process that builds one."""
    name = place.name.removeprefix(BUILDING)
    if name == place.name:
        return False
    lock = os.open(_lock_of(place.with_name(name[:_KEY_LENGTH])), _LOCKING, 0o600)
    try:
        return not _is_taken(lock)
    finally:
        os.close(lock)


def _lock_of(place: Path) -> Path:
    return place.with_suffix(".lock")


def _key(*, has_fuel: bool = False) -> str:
    """A hash of all that makes a difference to the compiled component."""
    digest = hashlib.sha256()
    for path, content in _sources():
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    tools = (_version_of("wasmtime"), _version_of("componentize-py"))
    for word in (*tools, f"fuel {has_fuel}", sys.platform, platform.machine(), _processor()):
        digest.update(f"{word}\0".encode())
    return digest.hexdigest()[:_KEY_LENGTH]


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
        yield name, (PACKAGE / name).read_bytes()
    for part in _PARTS:
        for path in sorted((PACKAGE / part).rglob("*")):
            if path.suffix in (".py", ".wit"):
                yield str(path.relative_to(PACKAGE)), path.read_bytes()


def _is_whole(place: Path) -> bool:
    """Whether a compiled component is there that nobody else could have written.

    wasmtime runs what is in it without looking, so that a file of somebody else's would be code in
    this process.
    """
    try:
        for path in (place, place / COMPILED):
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
def _alone(place: Path, order: Order) -> Iterator[None]:
    """Hold the lock of a component, which all processes of the user share."""
    try:
        place.parent.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        lock = os.open(_lock_of(place), _LOCKING, 0o600)
    except OSError as error:
        raise failed(f"{place.parent} can't be written to: {error.strerror}") from error
    try:
        while not _is_taken(lock):
            refuse_if_given_up(order)
            time.sleep(_LOOKING)
        yield
    finally:
        os.close(lock)


def _is_taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
