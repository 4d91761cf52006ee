"""The code that components were compiled to, by what is in them."""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
import stat
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nebula_lab.agent.components.compiling import REFUSED
from nebula_lab.agent.components.engine import compiled_path
from nebula_lab.agent.marking import MARK
from nebula_lab.environments.cache_layout import cache_root
from nebula_lab.environments.environment import isolated_command, own_environment
from nebula_lab.errors import LoadFailedError, ManagerClosedError

__all__ = ["CompiledComponents"]

_PATIENCE = 900.0  # seconds; what ends a compiler sooner is its limit of processor time
_DIGEST = 32  # bytes of SHA-256, ahead of the code
_MONTH = 30 * 24 * 3600.0  # seconds
_SAID = 500  # characters of what a compiler says that has died


class CompiledComponents:
    """Compiles each component once, in a process of its own, and keeps what comes of it.

    Code that is loaded is run, so only what nobody else can have written is taken from the folder.
    Any thread.

    Args:
        mark: gives what the sweep finds a compiler by, if this process is killed.
        root: the folder; in the user's cache without.
    """

    def __init__(self, mark: Callable[[], str], root: Path | None = None) -> None:
        self._mark = mark
        self._root = cache_root() / "components" if root is None else root
        self._compiling = threading.Lock()  # the same component is not compiled twice at once
        self._compiler: subprocess.Popen[bytes] | None = None
        self._closed = False

    def close(self) -> None:
        """Compile nothing more; a compiler that runs is ended."""
        self._closed = True
        if (compiler := self._compiler) is not None:
            compiler.kill()

    def put_beside(self, path: Path, plugin_id: str, origin: Path) -> None:
        """Put the code of a component beside it.

        Args:
            path: a host's own copy of the component.
            plugin_id: the plugin that it is.
            origin: what it is a copy of.

        Raises:
            LoadFailedError: it can't be compiled, or takes too much.
        """
        component = path.read_bytes()
        kept = self._root / _kind() / hashlib.sha256(component).hexdigest()
        code = _kept_at(kept) or self._made(kept, component, plugin_id, origin)
        place = compiled_path(path)
        place.unlink(missing_ok=True)  # of another plugin in a host that was used before
        place.write_bytes(code)

    def _made(self, kept: Path, component: bytes, plugin_id: str, origin: Path) -> bytes:
        with self._compiling:
            if (code := _kept_at(kept)) is not None:
                return code  # another load was quicker
            code = self._compiled(component, plugin_id, origin)
            with suppress(OSError):  # there is no room, so it is compiled again next time
                _keep(kept, code)
                _tidy(kept.parent)
            return code

    def _compiled(self, component: bytes, plugin_id: str, origin: Path) -> bytes:
        with subprocess.Popen(
            isolated_command(own_environment(), "nebula_lab.agent.components.compiling"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, MARK: self._mark()},
        ) as compiler:
            self._compiler = compiler
            try:
                if self._closed:
                    raise ManagerClosedError("the manager has been closed")
                code, said = compiler.communicate(component, _PATIENCE)
            except subprocess.TimeoutExpired as error:
                reason = f"its code was not compiled within {_PATIENCE:g} s"
                raise _failed(reason, plugin_id, origin) from error
            finally:
                self._compiler = None
                compiler.kill()
        if compiler.returncode == 0:
            return code
        raise _failed(_why(compiler.returncode, said), plugin_id, origin)


def _why(status: int, said: bytes) -> str:
    text = said.decode("utf-8", "replace").strip()
    if status == REFUSED:
        return f"it can't be compiled: {text}"
    ended = f"was ended by signal {-status}" if status < 0 else f"exited with code {status}"
    return f"it can't be compiled: the compiler {ended}, as by its limits. {text[-_SAID:]}".strip()


def _failed(message: str, plugin_id: str, origin: Path) -> LoadFailedError:
    return LoadFailedError(
        message,
        plugin_id=plugin_id,
        path=origin,
        hint="Build it as a component: docs/wasm-components.md says how.",
    )


@cache
def _kind() -> str:
    """What code must have been compiled for, to be run here."""
    try:
        engine = version("wasmtime")
    except PackageNotFoundError:
        engine = "none"
    features = ""
    with suppress(OSError, IndexError):
        features = Path("/proc/cpuinfo").read_text().split("flags")[1].partition("\n")[0]
    machine = hashlib.sha256(f"{platform.machine()} {features}".encode()).hexdigest()[:16]
    return f"wasmtime-{engine}-{machine}"


def _kept_at(path: Path) -> bytes | None:
    """The code in a file of ours; None where there is none that can be trusted."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not _is_ours(os.fstat(descriptor)) or not _is_ours(path.parent.lstat()):
            return None
        content = file.read()
        os.utime(descriptor)
    code = content[_DIGEST:]
    return code if hashlib.sha256(code).digest() == content[:_DIGEST] else None


def _is_ours(status: os.stat_result) -> bool:
    """Whether nobody else could have written it."""
    is_kind = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    return is_kind and status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _keep(path: Path, code: bytes) -> None:
    """Write it under another name first, so that whatever has its own is whole."""
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(hashlib.sha256(code).digest())
            file.write(code)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _tidy(folder: Path) -> None:
    """Remove what nobody has used for a month, and what other versions of the engine left."""
    oldest = time.time() - _MONTH
    for path in (*folder.iterdir(), *folder.parent.glob("wasmtime-*/*")):
        with suppress(OSError):
            if path.lstat().st_mtime < oldest:
                path.unlink()
