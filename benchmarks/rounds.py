"""Interleaved rounds: in each round every contender takes one turn, and then comes the next round.

A machine's speed wanders by half within minutes. What a round measures was measured within the same
second or two, so the ratio of two contenders in one round means something, and the median of these
ratios over many rounds means more.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.contender import Contender
from benchmarks.processes import end_marked

ROOT = Path(__file__).parents[1]
OPENING = 300.0  # seconds for a contender to start: fifty kernels take half a minute
TURN = 400.0  # seconds for one turn; 200 plugins that start cold take a hundred
CLOSING = 60.0
MARK = "NEBULA_LAB_BENCHMARK"  # in the environment of all that a contender starts
WARM_UP = 0.1  # of a batch, before each turn: what ran meanwhile has emptied the caches

# By contender, by round, by place in the turn: seconds, or what the work measured by itself.
Samples = Mapping[str, Sequence[Sequence[Any]]]


class BenchmarkError(Exception):
    """A contender did not do its work."""


class Driver:
    """A contender in a process of its own, which starts at once; entering waits until it is ready.

    Leaving it ends all that it has started.

    Raises:
        BenchmarkError: it failed, or did not answer in time; with its traceback or last words.
    """

    def __init__(self, contender: Contender) -> None:
        self._contender = contender
        self._connection, theirs = multiprocessing.Pipe()
        self._mark = f"{os.getpid()}-{id(self)}"
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        command = [sys.executable, "-m", "benchmarks.driver", str(theirs.fileno())]
        command += [contender.reference, json.dumps(contender.arguments)]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=_environment(self._mark),
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=self._said,
            pass_fds=[theirs.fileno()],
            start_new_session=True,  # a group of its own, that can be ended as a whole
        )
        theirs.close()

    def __enter__(self) -> Self:
        try:
            self._expect("ready", OPENING)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._connection.send(None)
                self._expect("closed", CLOSING)
        finally:
            self.close()

    def turn(self) -> list[Any]:
        """The samples of one turn."""
        batch = self._contender.batch
        self._connection.send((int(batch * WARM_UP), batch))
        samples: list[Any] = self._expect("took", TURN)
        return samples

    def close(self) -> None:
        """End the process and its group, whatever they are doing. Can be called again."""
        if self._connection.closed:
            return
        # Before it is waited for: until then nobody else can have its number.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        # A cluster's engines are in sessions of their own.
        end_marked(MARK, self._mark)
        self._connection.close()
        self._said.close()

    def _expect(self, what: str, seconds: float) -> Any:
        deadline = time.monotonic() + seconds
        while not self._connection.poll(0.1):
            if self._has_ended():
                raise self._failure("its process ended")
            if time.monotonic() > deadline:
                raise self._failure(f"was not {what} within {seconds:g} s")
        try:
            said, value = self._connection.recv()
        except EOFError:
            raise self._failure("its process ended") from None
        if said != what:
            raise self._failure(f"failed:\n{value}")
        return value

    def _has_ended(self) -> bool:
        # Without reaping it: its number is still to be its own when its group is ended.
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, flags) is not None

    def _failure(self, how: str) -> BenchmarkError:
        self._said.seek(0)
        last_words = self._said.read().decode(errors="replace")[-4000:]
        return BenchmarkError(f"{self._contender.name}: {how}\n{last_words}".rstrip())


def _environment(mark: str) -> dict[str, str]:
    """Ours with a mark, less what makes each interpreter compile all that it imports."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, MARK: mark}


def take_turns(contenders: Sequence[Contender], rounds: int, *, uncounted: int = 1) -> Samples:
    """Samples of every contender, by name: a list for each round.

    Args:
        contenders: each has one turn a round; who begins changes from round to round.
        rounds: how many count.
        uncounted: rounds before those, to warm up.

    Raises:
        BenchmarkError: a contender failed.
    """
    samples: dict[str, list[list[Any]]] = {contender.name: [] for contender in contenders}
    with contextlib.ExitStack() as stack:
        drivers = {contender.name: Driver(contender) for contender in contenders}
        for driver in drivers.values():
            stack.callback(driver.close)
        for driver in drivers.values():
            stack.enter_context(driver)
        for number in range(-uncounted, rounds):
            for name in _rotated(list(drivers), number):
                taken = drivers[name].turn()
                if number >= 0:
                    samples[name].append(taken)
    return samples


def _rotated(names: list[str], by: int) -> Iterator[str]:
    first = by % len(names)
    yield from names[first:]
    yield from names[:first]
