"""What a host's fault handler wrote, or what it would have us believe it wrote."""

from __future__ import annotations

import faulthandler
import json
import os
import tempfile
from pathlib import Path

import pytest

from nebula_lab.sandbox.source_lines import SourceLines
from nebula_lab.sandbox.stack_dump import NUMBER_SIZE, SIZE, StackDump
from nebula_lab.sandbox.stack_text import stacks_from

DUMP = """\
Thread 0x00007f0000000002 (most recent call first):
  File "{origin}/slow.py", line 2 in fetch
  File "/usr/lib/python3.11/threading.py", line 982 in run

Thread 0x00007f0000000003 [nebula] (most recent call first):
  File "/usr/lib/python3.11/selectors.py", line 468 in select

Current thread 0x00007f0000000001 (most recent call first):
  File "/usr/lib/python3.11/re.py", line 7 in match
  File "{origin}/slow.py", line 1 in crunch
  File "/usr/lib/python3.11/runpy.py", line 88 in _run_code
"""


@pytest.fixture
def origin(tmp_path):
    return tmp_path / "origin"


@pytest.fixture
def sources(tmp_path, origin):
    copies = tmp_path / "copies"
    copies.mkdir()
    (copies / "slow.py").write_text("    crunched()\n    fetched()\n")
    (copies / "naïve\n.py").write_text("odd()\n")
    notebook = {"cells": [{"cell_type": "markdown", "source": ""}]}
    notebook["cells"].append({"cell_type": "code", "source": "one()\ntwo()"})
    (copies / "book.ipynb").write_text(json.dumps(notebook))
    (copies / "link.py").symlink_to("/etc/passwd")
    return SourceLines(copies, origin)


def test_the_main_thread_comes_first_and_threads_without_a_plugins_frame_are_counted(
    sources, origin
):
    stacks = stacks_from(DUMP.format(origin=origin), sources)
    assert [thread.innermost.function for thread in stacks.threads] == ["crunch", "fetch"]
    assert stacks.where == "slow.py:1, in crunch: crunched()"
    assert stacks.folded == 1
    assert [frame.function for frame in stacks.threads[0].frames] == ["crunch", "match"]


def test_a_thread_that_is_there_twice_is_what_it_was_first(sources, origin):
    again = DUMP.format(origin=origin).replace("crunch", "later")
    stacks = stacks_from(DUMP.format(origin=origin) + again, sources)
    assert stacks.threads[0].innermost.function == "crunch"
    assert len(stacks.threads) == 2


def test_names_that_are_no_plain_ascii_are_found(sources, origin):
    name = "na\\xefve\\x0a.py"
    text = f'Thread 0x1 (most recent call first):\n  File "{origin}/{name}", line 1 in \\u03c0\n'
    stacks = stacks_from(text, sources)
    assert stacks.threads[0].innermost.source == "odd()"
    assert stacks.threads[0].innermost.function == "π"
    assert "\n" not in stacks.where


def test_a_line_of_a_notebook_is_found_in_its_cell(sources, origin):
    text = f'Stack (most recent call first):\n  File "{origin}/book.ipynb[cell 2]", line 2 in f\n'
    assert stacks_from(text, sources).where.endswith("in f: two()")


HOSTILE = [
    "{origin}/../../../../../../../../etc/passwd",
    "{origin}/link.py",
    "/etc/passwd",
    "{origin}/book.ipynb[cell 99]",
    "{origin}/slow.py\\x00",
    "{origin}/" + "a/" * 5000,
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_no_other_file_is_read_whatever_its_name(sources, origin, name):
    name = name.format(origin=origin)
    text = f'Thread 0x1 (most recent call first):\n  File "{name}", line 1 in f\n'
    (frame,) = stacks_from(text, sources).threads[0].frames
    assert (frame.source, frame.is_plugin) == ("", False)


def test_nothing_in_it_steers_a_terminal(sources, origin):
    text = 'Thread 0x1 (most recent call first):\n  File "a\\x1b]0;t\\x07", line 1 in \x1b[31mf\n'
    assert "\x1b" not in str(stacks_from(text, sources))


@pytest.mark.parametrize("text", ["", "\x00" * 1000, "Thread 0x1 (most recent call first):", "x"])
def test_rubbish_is_no_stack_of_a_plugin(sources, text):
    assert stacks_from(text, sources).where == ""


def test_ten_thousand_threads_are_shown_up_to_a_bound(sources, origin):
    one = DUMP.format(origin=origin).partition("\n\n")[0]
    text = "\n".join(one.replace("0x00007f0000000002", hex(n)) for n in range(10_000))
    assert len(stacks_from(text, sources).threads) == 50


def test_what_python_writes_is_read(sources):
    with tempfile.TemporaryFile() as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        text = file.read().decode()
    mine = SourceLines(Path(__file__).parent, Path(__file__).parent)
    assert "faulthandler.dump_traceback(file" in stacks_from(text, mine).where


# The memory that it is written into


@pytest.fixture
def dump():
    dump = StackDump()
    yield dump
    dump.close()


def test_what_is_written_after_the_beginning_is_read(dump):
    os.write(dump.fileno(), b"before")
    start = dump.begin()
    os.write(dump.fileno(), b"now")
    assert dump.since(start) == "now"


def test_it_holds_no_more_than_there_is_room_for(dump):
    start = dump.begin()
    assert os.write(dump.fileno(), b"x" * (2 * SIZE)) == SIZE
    with pytest.raises(PermissionError):
        os.write(dump.fileno(), b"x" * (NUMBER_SIZE + 1))
    with pytest.raises(PermissionError):
        os.truncate(dump.fileno(), 1)
    assert len(dump.since(start)) == SIZE


@pytest.mark.parametrize("position", [0, SIZE, 2**62])
def test_wherever_a_host_puts_the_position_there_is_room_for_the_next(dump, position):
    os.lseek(dump.fileno(), position, os.SEEK_SET)
    assert len(dump.since(0)) <= SIZE
    start = dump.begin()
    os.write(dump.fileno(), b"now")
    assert dump.since(start) == "now"


def test_once_closed_it_gives_nothing(dump):
    dump.close()
    assert (dump.begin(), dump.since(0)) == (0, "")
