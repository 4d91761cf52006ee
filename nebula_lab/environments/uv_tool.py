"""Runs uv, which resolves and installs packages: https://docs.astral.sh/uv."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from nebula_lab.agent.marking import MARK
from nebula_lab.environments import no_programs_launcher
from nebula_lab.environments.environment import isolated_command, own_environment
from nebula_lab.environments.index_settings import IndexSettings

__all__ = ["CancelledError", "Uv", "UvError"]

# Of what it says, the last so many bytes.
_SAID = 64 * 1024
# Seconds between two looks whether the build is still wanted, and to end when it is not.
_LOOKING = 0.1
_ENDING = 2.0
_FOLDERS = "UV_FIND_LINKS"
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")
# Of the user's settings, those that are about another environment than the one that is built, or
# would have what is installed run here: bytecode is compiled by the environment's own Python, which
# runs its `.pth` files first.
_NOT_PASSED = frozenset(
    {
        "UV_COMPILE_BYTECODE",
        "UV_NO_VERIFY_HASHES",
        "UV_PROJECT",
        "UV_PROJECT_ENVIRONMENT",
        "UV_PYTHON",
        "UV_REQUIRE_HASHES",
        "UV_SYSTEM_PYTHON",
        "UV_WORKING_DIR",
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "PYTHONHOME",
        "PYTHONPATH",
    }
)
_ALWAYS = ("--no-python-downloads", "--no-progress", "--color", "never")


class UvError(Exception):
    """uv did not do what it was asked.

    Attributes:
        said: what it said, without secrets.
    """

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class CancelledError(Exception):
    """What was to be done is not wanted any more."""


class Uv:
    """Runs uv with the user's own settings.

    Args:
        settings: those that uv does not know of by itself.
        mark: gives what the sweep finds its processes by, if this process is killed; "" for none.
    """

    def __init__(self, settings: IndexSettings, mark: Callable[[], str] = lambda: "") -> None:
        self._settings = settings
        self._mark = mark

    @property
    def index_arguments(self) -> tuple[str, ...]:
        """Options for commands that look for packages."""
        return self._settings.arguments

    def with_wheels(self, folders: Iterable[str]) -> Uv:
        """The same, which finds the wheels in some folders too."""
        # An option would take the place of the user's own, and this adds to it.
        own = self._settings.variables.get(_FOLDERS) or os.environ.get(_FOLDERS, "")
        found = ",".join(filter(None, (own, *folders)))
        variables = {**self._settings.variables, **({_FOLDERS: found} if found else {})}
        return Uv(replace(self._settings, variables=variables), self._mark)

    @property
    def fingerprint(self) -> str:
        """See `IndexSettings`."""
        return self._settings.fingerprint

    def version(self) -> str:
        """Such as `uv 0.9.2`.

        Raises:
            UvError: there is no uv.
        """
        return self.answer(["--version"]).strip()

    def answer(self, arguments: Sequence[str], variables: Mapping[str, str] | None = None) -> str:
        """What uv writes to its standard output, of something that takes a moment.

        Raises:
            UvError: it failed, or there is no uv.
        """
        options = () if arguments == ["--version"] else _ALWAYS
        try:
            done = subprocess.run(
                [_program(), *arguments, *options],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60.0,
                cwd="/",
                env=self._variables(variables or {}),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UvError(f"uv can't be run: {error}") from error
        if done.returncode:
            raise UvError(_without_secrets(done.stderr.strip()))
        return done.stdout

    def run(
        self,
        arguments: Sequence[str],
        folder: Path,
        on_line: Callable[[str], object],
        is_cancelled: Callable[[], bool],
    ) -> None:
        """Run uv for as long as it takes.

        Args:
            arguments: without the options that are always given.
            folder: where it works; project settings are looked for there and above it.
            on_line: is given each line that it writes.
            is_cancelled: asked from time to time; once it says so, uv is ended.

        Raises:
            UvError: it failed.
            CancelledError: it was not wanted any more.
        """
        self._run([_program_or_error(), *arguments, *_ALWAYS], folder, on_line, is_cancelled)

    def look(
        self,
        arguments: Sequence[str],
        python: str,
        folder: Path,
        on_line: Callable[[str], object],
        is_cancelled: Callable[[], bool],
    ) -> None:
        """Run uv so that it can start no program: what is to be built from source can't run.

        Args:
            arguments: without the options that are always given, and without a Python.
            python: the interpreter's path.
            folder: as `run`; has uv's cache for it, in `cache`.
            on_line, is_cancelled: as `run`.

        Raises:
            UvError, CancelledError: as `run`.
        """
        options = ("--python", python, "--cache-dir", str(folder / "cache"))
        nothing = folder / "nothing.in"
        # What the Python is like it can only ask while it may start it; the cache has it then.
        if not nothing.exists():
            nothing.touch()
            known = ("pip", "compile", str(nothing), *options)
            self.run(known, folder, lambda line: None, is_cancelled)
        held = isolated_command(
            own_environment(),
            no_programs_launcher.__name__,
            *(_program_or_error(), *arguments, *options, *_ALWAYS),
        )
        self._run(held, folder, on_line, is_cancelled)

    def _run(
        self,
        command: Sequence[str],
        folder: Path,
        on_line: Callable[[str], object],
        is_cancelled: Callable[[], bool],
    ) -> None:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                cwd=folder,
                env=self._variables({}),
                start_new_session=True,
            )
        except OSError as error:
            raise UvError(f"uv can't be run: {error}") from error
        try:
            said = _listen(process, on_line, is_cancelled)
        finally:
            _end(process)
        if process.returncode:
            text = _without_secrets(said.decode("utf-8", "replace").strip())
            raise UvError(text or _how_it_ended(process.returncode))

    def _variables(self, more: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED}
        mark = self._mark()
        return {**kept, **self._settings.variables, **more, **({MARK: mark} if mark else {})}


def _program_or_error() -> str:
    try:
        return _program()
    except OSError as error:
        raise UvError(f"uv can't be run: {error}") from error


def _program() -> str:
    """Where uv is; FileNotFoundError, which is an OSError, where it is not."""
    try:
        from uv import find_uv_bin
    except ImportError:
        raise FileNotFoundError("the package uv is not installed") from None
    return str(find_uv_bin())


def _listen(
    process: subprocess.Popen[bytes],
    on_line: Callable[[str], object],
    is_cancelled: Callable[[], bool],
) -> bytes:
    """Everything that a process writes until it ends."""
    assert process.stderr is not None
    pipe = process.stderr.fileno()
    said, line = b"", b""
    while True:
        if is_cancelled():
            raise CancelledError
        if not select.select([pipe], [], [], _LOOKING)[0]:
            continue
        data = os.read(pipe, _SAID)
        if not data:
            process.wait()
            return said
        said = (said + data)[-_SAID:]
        *whole, line = (line + data).split(b"\n")
        for one in whole:
            on_line(_without_secrets(one.decode("utf-8", "replace").strip()))
        line = line[-_SAID:]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it if it still runs, and what it started."""
    assert process.stderr is not None
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + _ENDING
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    process.stderr.close()


def _how_it_ended(status: int) -> str:
    return f"uv was ended by signal {-status}" if status < 0 else f"uv exited with code {status}"


def _without_secrets(text: str) -> str:
    return _USER_INFO.sub("***@", text)
