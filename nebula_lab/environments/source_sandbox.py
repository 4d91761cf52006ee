"""Runs the build of a package from source, confined: its code is a stranger's.

It sees its source, the environment that it asks for, what compilers need, and a folder in memory of
its own. It has no network, and nothing of the user's files. The wheel comes out through a pipe.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from nebula_lab.agent.marking import MARK
from nebula_lab.confine import landlock
from nebula_lab.confine.confinement import Confined, Confinement, Guard, Network
from nebula_lab.confine.places import Places
from nebula_lab.environments import source_launcher, source_script
from nebula_lab.environments.environment import Environment, isolated_command, own_environment
from nebula_lab.environments.source_answer import SourceAnswer
from nebula_lab.environments.source_error import SourceError
from nebula_lab.environments.stages import BuildWatcher
from nebula_lab.environments.uv_tool import CancelledError

__all__ = ["BuildRequest", "SourceSandbox"]

_SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/alternatives",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
)
_PATH = "/usr/local/bin:/usr/bin:/bin"
# In there it is always the same, so that what notes its path comes out the same each time.
_HOME = "/build"
_MEMORY = 4 * 2**30  # bytes of each of its processes
_HOME_SIZE = 2 * 2**30
_FILES, _THREADS = 1024, 256
_STACK = 8 * 2**20
_LONGEST = 3600.0  # seconds; the largest extensions take half of it
_LOOKING = 0.1  # seconds between two looks whether it is still wanted
_SAID = 16 * 1024  # bytes of what it writes that are kept
_PIECE = 64 * 1024


class BuildRequest(Struct, frozen=True):
    """What is asked of a build back end; see PEP 517.

    Attributes:
        backend: its name, such as `hatchling.build`.
        backend_path: folders in the source to find it in.
        known: what is installed for it.
    """

    backend: str
    backend_path: tuple[str, ...]
    known: tuple[str, ...]


class SourceSandbox:
    """Builds one package.

    Args:
        work: an empty folder, whose files it does not write to.
        watcher: is asked whether it is still wanted.
        mark: what its processes are found by, if this one is killed; "" for none.
    """

    def __init__(self, work: Path, watcher: BuildWatcher, mark: str) -> None:
        self._work = work
        self._watcher = watcher
        self._mark = mark

    def run(
        self, environment: Environment, source: Path, request: BuildRequest, wheel: Path
    ) -> tuple[str, tuple[str, ...]]:
        """Ask a back end for a wheel.

        Args:
            environment: has what the build asks for.
            source: the unpacked source.
            request: what is asked.
            wheel: where it is written.

        Returns:
            What the back end calls the wheel, and nothing; or "" and what has to be installed for
            it first.

        Raises:
            SourceError: it can't be confined here, it failed, or it gave something else.
            OSError: the wheel can't be written.
            CancelledError: it is not wanted any more.
        """
        answers, theirs = os.pipe()
        try:
            process = self._start(environment, source, request, theirs)
        except BaseException:
            os.close(answers)
            raise
        finally:
            os.close(theirs)
        with os.fdopen(answers, "rb", buffering=0) as answer:
            try:
                reading = SourceAnswer(wheel)
                said = self._listen(process, answer.fileno(), reading)
            finally:
                _end(process)
        if process.returncode == source_launcher.CANNOT_CONFINE:
            raise SourceError(
                "it has to be built from source, which can't be confined on this machine",
                "nebula-lab doctor says what is missing. Or ask for what has a wheel.",
                said,
            )
        if process.returncode or not reading.is_whole:
            raise SourceError(
                f"its build from source failed ({_how_it_ended(process.returncode)})",
                "What it wrote is below. It has no network, no files of yours and no more than "
                f"{_HOME_SIZE // 2**30} GiB; if it needs those, build the wheel yourself and put "
                "its folder into UV_FIND_LINKS.",
                said,
            )
        assert reading.head is not None
        return reading.head.wheel, reading.head.requires

    def _start(
        self, environment: Environment, source: Path, request: BuildRequest, answers: int
    ) -> subprocess.Popen[bytes]:
        script = source_script.__file__
        program = (
            *(environment.executable, "-P", "-s", script, str(source), str(answers)),
            json.dumps(msgspec.to_builtins(request)),
        )
        held = self._confined(environment, source, script)
        command = isolated_command(
            own_environment(),
            source_launcher.__name__,
            *(held.to_text(), environment.search_path(_PATH), *program),
        )
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[answers],
            cwd="/",
            env={"LANG": "C.UTF-8", **({MARK: self._mark} if self._mark else {})},
            start_new_session=True,
        )

    def _confined(self, environment: Environment, source: Path, script: str) -> Confined:
        places = Places(
            ipc=str(self._work / "unused"),
            plugin=str(source),
            home=_HOME,
            root=str(self._work / "root"),
        )
        for folder in (places.ipc, places.root):
            Path(folder).mkdir(parents=True)
        confinement = Confinement(
            namespaces=True,
            landlock=landlock.version(),
            seccomp=True,
            guard=Guard.NAMESPACE,
            is_restricted=True,
            readable=(*_SYSTEM, environment.prefix, *environment.bases, script),
            listed=(),
            grants=(),
            hidden=(),
            network=Network.NONE,
            has_unix_sockets=False,
            has_system_calls=False,
            memory=_MEMORY,
            files=_FILES,
            # The kernel does not count root's; then the namespace's end is what ends them all.
            threads=_THREADS if os.geteuid() else None,
            stack=_STACK,
            home_size=_HOME_SIZE,
        )
        return Confined(confinement, places)

    def _listen(self, process: subprocess.Popen[bytes], answers: int, reading: SourceAnswer) -> str:
        """Take what it answers until it has ended; what it said meanwhile."""
        assert process.stdout is not None
        deadline = time.monotonic() + _LONGEST
        open_ones = {process.stdout.fileno(), answers}
        said = b""
        with reading:
            while open_ones:
                if self._watcher.is_cancelled():
                    raise CancelledError
                if time.monotonic() > deadline:
                    raise SourceError(
                        f"its build from source took longer than {_LONGEST:.0f} seconds",
                        "Build the wheel yourself and put its folder into UV_FIND_LINKS.",
                        _text(said),
                    )
                for one in select.select(list(open_ones), [], [], _LOOKING)[0]:
                    piece = os.read(one, _PIECE)
                    if not piece:
                        open_ones.discard(one)
                    elif one == answers:
                        reading.take(piece)
                    else:
                        said = (said + piece)[-_SAID:]
            process.wait()
        return _text(said)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End all of it: with its first process goes the namespace, and whatever is in there."""
    assert process.stdout is not None
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    process.stdout.close()


def _text(said: bytes) -> str:
    return said.decode("utf-8", "replace").strip()


def _how_it_ended(status: int) -> str:
    known: Sequence[str] = [one.name for one in signal.Signals if one == -status]
    return f"ended by {known[0]}" if known else f"exit code {status}"
