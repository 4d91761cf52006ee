"""What attacks aim at, all of it the test's own: files, secrets, listeners, a user to be."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from listeners import Listeners
from orders import Orders
from own_processes import listed

import nebula_lab

HERE = Path(__file__).parent
_LIBRARY = """
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/syscall.h>
long steal(const char *path, char *found, long size) {
    long file = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
    long length = file < 0 ? -1 : syscall(SYS_read, file, found, size);
    return length < 0 ? -errno : length;
}
"""


def users() -> dict[str, int]:
    """Whom attacks are run as: uids by what they are called.

    The ordinary user has a uid that nobody else has, so that what is left of it is found.
    """
    if os.getuid():
        return {"ordinary": os.getuid()}
    return {"root": 0, "ordinary": 200_000 + os.getpid() % 1_000_000}


class Stage:
    """One user's home, files, listeners and secrets.

    Args:
        uid: of the user.
        variables: more of what the environment has.
        is_known: the user has a name there, and users of its own; see `known_user.py`.

    Attributes:
        uid: of the user.
        secrets: by what is to be stolen.
        listeners: of this process.
    """

    def __init__(
        self, uid: int, variables: Mapping[str, str] | None = None, *, is_known: bool = False
    ) -> None:
        self.uid = uid
        self._is_known = is_known
        self._variables = dict(variables or {})
        self.folder = Path(tempfile.mkdtemp(prefix="stage-"))
        kinds = ("file", "variable", "memory", "sibling code", "sibling scratch", "store")
        self.secrets = {kind: f"NEBULA-SECRET-{secrets.token_hex(16)}" for kind in kinds}
        self.secrets["connection key"] = self.secrets["store"]
        self._processes: list[Orders] = []
        self._strangers = listed()
        for name in ("home/.ssh", "outside", "environment", "run", "store", "scratch", "tmp"):
            (self.folder / name).mkdir(parents=True)
        self._write("home/.ssh/id_ed25519", "file").chmod(0o600)
        self._write("run/kernel.json", "connection key")
        self._write("run/code.py", "sibling code")
        self._write("run/note", "sibling scratch")
        self._write("store/0000", "store")
        self.listeners = Listeners(self.folder)
        self.reset()
        self._hand_over()

    def _write(self, name: str, secret: str) -> Path:
        path = self.folder / name
        path.write_text(self.secrets[secret] + "\n")
        return path

    def _hand_over(self) -> None:
        if os.getuid() == 0:
            for path in [self.folder, *self.folder.rglob("*")]:
                os.chown(path, self.uid, self.uid, follow_symlinks=False)

    @property
    def victim_file(self) -> Path:
        return self.folder / "outside" / "victim.txt"

    def reset(self) -> None:
        """Undo what attacks did to files."""
        for name in ("outside", "environment", "scratch"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / name).mkdir(exist_ok=True)
            os.chown(self.folder / name, self.uid, self.uid)
        self.victim_file.write_text("precious")
        self.victim_file.chmod(0o600)
        os.chown(self.victim_file, self.uid, self.uid)

    def target(self) -> dict[str, Any]:
        """What the attacks that run without confinement are told."""
        run = self.folder / "run"
        return {
            "home": str(self.folder / "home"),
            "secret_file": str(self.folder / "home/.ssh/id_ed25519"),
            "outside": str(self.folder / "outside"),
            "victim_file": str(self.victim_file),
            "environment": str(self.folder / "environment"),
            "scratch": str(self.folder / "scratch"),
            "sibling_code": [str(run / "code.py")],
            "sibling_scratch": [str(run / "note")],
            "run_folder": str(run),
            "run_folder_names": ["kernel.json"],
            "connection_files": [str(run / "kernel.json")],
            "store_files": [str(self.folder / "store/0000")],
            "library": _library(),
            "token": f"nebula-daemon-{self.folder.name}",
            # Seconds for which too much memory is held, in which a manager has to see it; for
            # which too much is computed, in none of which it may happen; and so many files.
            "hold": 20.0,
            "tries": 3,
            "files": 100_000,
            **self.listeners.target(),
        }

    def environment(self) -> dict[str, str]:
        """The variables of a process on this stage; one is a secret."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        return (
            kept
            | self._variables
            | {
                "HOME": str(self.folder / "home"),
                "TMPDIR": str(self.folder / "tmp"),
                "PYTHONPATH": os.pathsep.join([str(HERE), str(_package_parent())]),
                "PYTHONDONTWRITEBYTECODE": "1",
                "NEBULA_ATTACK_TOKEN": self.secrets["variable"],
            }
        )

    def start(self, script: str) -> Orders:
        """Run one of the programs beside this file as the stage's user."""
        command = [sys.executable, "-P", str(HERE / script)]
        if os.getuid() == 0:
            python = [sys.executable, "-I", "-S"]
            entering = [*python, str(HERE / "enter_as.py")]
            if self._is_known:
                entering = [*python, str(HERE / "known_user.py"), str(self.uid), *entering]
            folders = {sys.base_prefix, sys.prefix, str(_package_parent()), str(HERE)}
            folders.update(filter(os.path.isdir, self._variables.values()))
            command = [*entering, str(self.uid), ":".join(sorted(folders)), *command]
        process = Orders(command, self.environment(), self.folder / "home")
        self._processes.append(process)
        return process

    def file_effects(self) -> dict[str, object]:
        """What there is to see of attacks on files, by kind."""
        try:
            seen = self.victim_file.stat()
            content = self.victim_file.read_text()
        except FileNotFoundError:
            return {"deletion": True}
        places = [self.folder / name for name in ("outside", "environment")]
        new = sorted(str(path) for place in places for path in place.rglob("written"))
        return {
            "deletion": False,
            "file": (new, content),
            "truncation": seen.st_size,
            "mode": seen.st_mode,
            "time": seen.st_mtime,
        }

    def daemons(self) -> list[int]:
        """Pids of what a plugin left behind: its command line ends with the stage's token."""
        token, found = f"nebula-daemon-{self.folder.name}".encode(), []
        for pid in self.newer_processes():
            with contextlib.suppress(OSError):
                if token in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(pid)
        return found

    def newer_processes(self) -> list[int]:
        """Pids of what has come since there is this stage, whoever started it."""
        return sorted(pid for pid, _ in listed() - self._strangers)

    def close(self) -> None:
        for process in self._processes:
            process.close()
        self.listeners.close()
        shutil.rmtree(self.folder)


def _package_parent() -> Path:
    return Path(nebula_lab.__file__).parents[1]


def _library() -> str:
    """A shared library that opens a file by a system call, in base64.

    Where there is no compiler, an extension of Python's own stands for it: its bytes are loaded
    from where they were dropped, and the attack fails on the missing function.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or sysconfig.get_config_var("CC")
    if not compiler or not shutil.which(compiler.split()[0]):
        return ""
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "steal.c"), Path(folder, "steal.so")
        source.write_text(_LIBRARY)
        command = [compiler.split()[0], "-shared", "-fPIC", "-O1", "-o", library, source]
        subprocess.run(command, check=True, capture_output=True)
        return base64.b64encode(library.read_bytes()).decode()
