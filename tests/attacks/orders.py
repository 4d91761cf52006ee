"""A child process that answers lines of JSON."""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
from pathlib import Path
from typing import Any


class Orders:
    """The child, from this side.

    Attributes:
        pid: its number.
    """

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self._process = subprocess.Popen(
            command,
            env=environment,
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.folder = folder

    @property
    def pid(self) -> int:
        return self._process.pid

    def say(self, line: str) -> None:
        """Write a line that is not answered."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def ask(self, line: str, timeout: float = 30.0) -> Any:
        """Write a line and give the answer.

        Raises:
            AssertionError: it did not come in time, or the child ended.
        """
        self.say(line)
        return self.answer(timeout)

    def answer(self, timeout: float = 30.0) -> Any:
        assert self._process.stdout is not None
        ready = select.select([self._process.stdout], [], [], timeout)[0]
        assert ready, f"no answer within {timeout} s"
        line = self._process.stdout.readline()
        assert line, f"it ended: {self._process.wait()}"
        return json.loads(line)

    def order(self, timeout: float = 30.0, **order: Any) -> Any:
        """Send an object and give the answer."""
        return self.ask(json.dumps(order), timeout)

    def close(self, timeout: float = 10.0) -> None:
        """It ends with its input; if not, it is killed."""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
