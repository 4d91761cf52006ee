"""Advisory locks between processes: the kernel releases them when their holder ends, however."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nebula_lab.errors import StoreError

__all__ = ["shared", "exclusive", "hold_shared", "try_exclusive"]

_PAUSE = 0.005
# Others add and collect in milliseconds; who holds the store for longer is stuck or stopped.
_PATIENCE = 30.0


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold a lock beside others who share it.

    Raises:
        StoreError: somebody has held it alone for too long.
        OSError: the file can't be opened or made.
    """
    descriptor = hold_shared(path)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(
    path: Path,
    of: str = "the content store",
    *,
    patience: float = _PATIENCE,
    waiting: Callable[[float], object] = lambda waited: None,
) -> Iterator[None]:
    """Hold a lock alone; as `shared`.

    Args:
        path: the lock's file.
        of: what is locked, for the error.
        patience: seconds to wait for it.
        waiting: is told now and then for how many seconds it has been waited for.
    """
    descriptor = _acquire(path, fcntl.LOCK_EX, of, patience, waiting)
    try:
        yield
    finally:
        os.close(descriptor)


def hold_shared(path: Path) -> int:
    """A descriptor that holds the lock, beside others, until it is closed; as `shared`."""
    return _acquire(path, fcntl.LOCK_SH)


@contextmanager
def try_exclusive(path: Path) -> Iterator[bool]:
    """Whether nobody holds the lock; if so, it is held alone for as long as the block runs."""
    descriptor = _open(path)
    try:
        yield _lock(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _acquire(
    path: Path,
    kind: int,
    of: str = "the content store",
    patience: float = _PATIENCE,
    waiting: Callable[[float], object] = lambda waited: None,
) -> int:
    descriptor = _open(path)
    try:
        began = time.monotonic()
        # flock has no time-out of its own, and a signal to end it would be the whole process's.
        while not _lock(descriptor, kind):
            waited = time.monotonic() - began
            waiting(waited)
            if waited > patience:
                raise StoreError(
                    f"{of} has been locked by another process for {patience:g} s",
                    path=path,
                    hint=f"`fuser {path}` says by which; end it if it is stuck.",
                )
            time.sleep(_PAUSE)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(path: Path) -> int:
    """Open for reading, which is enough for a lock and works in a store that can't be written."""
    try:
        return os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        try:
            return os.open(path, os.O_RDONLY | os.O_CREAT, 0o600)
        except OSError as error:
            if error.errno == errno.ENOENT:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                return os.open(path, os.O_RDONLY | os.O_CREAT, 0o600)
            raise
