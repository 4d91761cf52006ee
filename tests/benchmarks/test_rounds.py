"""Contenders in processes of their own, taking turns."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from benchmarks.contender import Contender, Work
from benchmarks.driver import sample
from benchmarks.peers import pipes, sockets
from benchmarks.rounds import BenchmarkError, Driver, take_turns
from benchmarks.topics.imports import interpreter


def running(code: str, name: str = "one") -> Contender:
    """Runs code in an interpreter of its own in each turn."""
    return Contender(name, interpreter, (code,))


LEAVING = """
import os, pathlib, subprocess
left = subprocess.Popen(['sleep', '60'], start_new_session=True)
pathlib.Path({!r}).write_text(str(left.pid))
os._exit(0)
"""


def appending(letter: str, path: Path) -> str:
    return f"open({str(path)!r}, 'a').write({letter!r})"


def test_each_round_has_a_turn_of_each_and_another_one_begins(tmp_path):
    order = tmp_path / "order"
    contenders = [running(appending(letter, order), letter) for letter in "abc"]
    samples = take_turns(contenders, 3)
    assert order.read_text() == "cab" + "abc" + "bca" + "cab"  # the first round does not count
    assert {name: len(rounds) for name, rounds in samples.items()} == {"a": 3, "b": 3, "c": 3}


def test_a_turn_has_a_batch_of_samples():
    contenders = [Contender("raw", sockets.ping_pong, batch=7), Contender("pipe", pipes.echo)]
    samples = take_turns(contenders, 2)
    assert [len(turn) for turn in samples["raw"]] == [7, 7]
    assert [len(turn) for turn in samples["pipe"]] == [1, 1]
    assert all(taken > 0 for turn in samples["raw"] for taken in turn)


def test_a_contender_that_fails_says_why():
    with pytest.raises(BenchmarkError, match=r"(?s)^the bad one: failed:.*CalledProcessError"):
        take_turns([running("raise SystemExit(3)", "the bad one")], 1)


def test_a_contender_that_cannot_be_opened_says_why():
    with pytest.raises(BenchmarkError, match=r"(?s)failed:.*TypeError"):
        take_turns([Contender("raw", sockets.ping_pong, ("too many",))], 1)


def test_a_contender_whose_process_ends_says_so_with_its_last_words():
    code = (
        "import os, sys; sys.stderr.write('farewell'); sys.stderr.flush(); os.kill(os.getppid(), 9)"
    )
    with pytest.raises(BenchmarkError, match=r"(?s)its process ended.*farewell"):
        take_turns([running(code)], 1)


def test_a_contender_that_is_interrupted_leaves_nothing():
    # The fixture that looks for what is left behind looks for the child of the peer too.
    with pytest.raises(KeyboardInterrupt), Driver(Contender("pipe", pipes.echo)):
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(30)


def test_what_a_contender_leaves_in_a_session_of_its_own_is_ended(tmp_path, wait_until):
    file = tmp_path / "pid"
    take_turns([running(LEAVING.format(str(file)))], 1, uncounted=0)
    wait_until(lambda: not Path(f"/proc/{file.read_text()}").exists(), "its end")


def test_what_a_work_measures_by_itself_is_the_sample():
    assert sample(Work(lambda: 42, is_sample=True)) == 42


def test_what_a_run_gives_is_settled_afterwards():
    settled = []
    assert sample(Work(lambda: "kernel", settled.append)) >= 0
    assert settled == ["kernel"]
