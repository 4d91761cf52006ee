"""The folder of a manager's connection files, sockets and scratch folders."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from nebula_lab.errors import ConfigError

if TYPE_CHECKING:
    from nebula_lab.sandbox.sweeper import Sweeper

# Unix socket paths end at 107 bytes; the names below it take some fifty of them.
LONGEST_PARENT = 50
_NAME = "nebula-lab-"  # and the user's number
_PRIVATE = 0o700


class RunFolder:
    """Made when the first host needs it, so that a manager that never ran one leaves nothing.

    Only the user may enter it.

    Raises:
        ConfigError: there is no folder for sockets whose path is short enough.
    """

    def __init__(self) -> None:
        self.path = _parent() / f"{_NAME}{os.getuid()}" / f"nebula-{secrets.token_hex(5)}"
        # What the marks of the owner's hosts start with.
        self.mark = f"{os.getpid()}-{self.path.name}-"
        self._sweeper: Sweeper | None = None
        self._making = threading.Lock()
        self._owner_pid = os.getpid()

    def ensure(self) -> Path:
        """Where it is; made now, if it is not there yet. Any thread."""
        from nebula_lab.sandbox.nursery import nursery
        from nebula_lab.sandbox.sweeper import Sweeper

        with self._making:
            if self._sweeper is None:
                # First, so that there is no moment at which nobody would remove the folder.
                self._sweeper = Sweeper(self.path, self.mark, nursery().mark)
                try:
                    _make_shared(self.path.parent)
                    self.path.mkdir(_PRIVATE)
                except BaseException:
                    self._sweeper.close()
                    self._sweeper = None
                    raise
        return self.path

    def entrust(self, pidfd: int) -> None:
        """Have a process ended if this one is killed, whatever it has prepared for that."""
        with self._making:
            if self._sweeper is not None and os.getpid() == self._owner_pid:
                self._sweeper.entrust(pidfd)

    @property
    def ensured_mark(self) -> str:
        """The mark, for what is to be found by it if this process is killed from now on."""
        self.ensure()
        return self.mark

    def remove(self) -> None:
        """Remove it with everything in it. Can be called again."""
        if os.getpid() != self._owner_pid:
            return
        with self._making:
            if os.path.lexists(self.path):
                from nebula_lab.sandbox import removal

                removal.remove(str(self.path))
            with contextlib.suppress(OSError):  # others of the user's are there too
                self.path.parent.rmdir()
            if self._sweeper is not None:
                self._sweeper.close()
                self._sweeper = None


def _make_shared(folder: Path) -> None:
    """Make the folder of all run folders of this user, which plugins are kept out of.

    Raises:
        ConfigError: something else is there, perhaps another user's trap.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(_PRIVATE)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ConfigError(
            "the folder for sockets is not one that only you may enter",
            path=folder,
            hint="Remove it, if it is yours; or set TMPDIR to a folder of your own.",
        )


def _parent() -> Path:
    for parent in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):  # noqa: S108
        # Its real path: what hides it, and what puts its folders back, follows no links.
        found = os.path.realpath(parent) if parent else ""
        if found and len(found) <= LONGEST_PARENT and os.access(found, os.W_OK | os.X_OK):
            return Path(found)
    raise ConfigError(
        "there is no folder for sockets whose path is short enough",
        hint=f"Set TMPDIR to one with at most {LONGEST_PARENT} characters.",
    )
