"""A zygote's process: how it is started, what it says last, how it is ended."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from dataclasses import dataclass

from nebula_lab.agent.marking import MARK, padded
from nebula_lab.environments.environment import Environment, isolated_command

# By a person, or by a system that has no memory left.
_SENT = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_DYING = 0.1  # seconds
_LAST_WORDS = 2000


@dataclass(frozen=True)
class ZygoteKey:
    """What makes two zygotes differ.

    Attributes:
        environment: the Python that it is.
        variables: those environment variables that count before it forks.
        preload: the modules that it imports.
        installed_at: when what is installed last changed.
    """

    environment: Environment
    variables: tuple[tuple[str, str], ...]
    preload: tuple[str, ...]
    installed_at: tuple[int, ...]


class ZygoteProcess:
    """Runs `nebula_lab.agent.zygote`.

    Args:
        key: what it is started as.
        control: its end of the channel.
        owner: pidfd of this process.
        mark: what the sweep finds it by.

    Attributes:
        was_killed: a signal had ended it before `end` did.
        was_killed_by_others: that was one which no code of its own runs into.

    Raises:
        OSError: it could not be started.
    """

    was_killed = False
    was_killed_by_others = False

    def __init__(self, key: ZygoteKey, control: socket.socket, owner: int, mark: str) -> None:
        descriptors = (control.fileno(), owner)
        ours = {MARK: padded(mark), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        self._words, words = os.pipe()
        os.set_blocking(self._words, False)
        try:
            self._process = subprocess.Popen(
                isolated_command(
                    key.environment, "nebula_lab.agent.zygote", *map(str, descriptors)
                ),
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                pass_fds=descriptors,
                env=dict(key.variables) | ours,
                cwd="/",
                start_new_session=True,
            )
        except BaseException:
            os.close(self._words)
            raise
        finally:
            os.close(words)

    @property
    def pid(self) -> int:
        return self._process.pid

    def let_die(self) -> None:
        """Give one that has hung up the moment that it takes to end, so that it is known how."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_DYING)

    def end(self) -> str:
        """Kill it; the last line that it wrote, or else how it had ended by itself. Once."""
        status = self._process.poll()
        self.was_killed = status is not None and status < 0
        self.was_killed_by_others = status is not None and -status in _SENT
        self._process.kill()
        self._process.wait()
        said = b""
        with contextlib.suppress(BlockingIOError):
            said = os.read(self._words, 64 * 1024)[-_LAST_WORDS:]
        os.close(self._words)
        lines = said.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else _how_it_ended(self._process.returncode)

    def disown(self) -> None:
        """Let go of it in a fork of this process."""
        os.close(self._words)
        self._process.returncode = 0  # it is no child of the fork's to be waited for


def _how_it_ended(status: int) -> str:
    if status == -signal.SIGKILL:
        return ""  # we did that, or nothing can be learnt from it
    return f"killed by signal {-status}" if status < 0 else f"exit code {status}"
