"""Reads what Python's faulthandler writes of a host's threads.

    Thread 0x00007f0c3b7fe6c0 (most recent call first):      (or: Stack, where it is but one)
      File "/usr/lib/python3.11/threading.py", line 324 in wait
      File "/home/me/plugins/slow.py", line 12 in crunch

The host may have written anything instead: nothing here believes it more than to show it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nebula_lab.reports.stacks import HostStacks
from nebula_lab.sandbox.own_frames import RawFrame, RawThread, stacks_of
from nebula_lab.sandbox.source_lines import SourceLines

_THREAD = re.compile(
    r"(?:(?:Current t|T)hread 0x([0-9a-f]{1,16})(?: \[(.*)\])?|Stack) \(most recent call first\):"
)
_FRAME = re.compile(r'  File "(.*)", line ([0-9]{1,9}|\?\?\?) in (.*)')
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")


def stacks_from(text: str, sources: SourceLines | None) -> HostStacks:
    """The stacks in a text; those of a thread that is there twice are the first.

    Args:
        text: from a host, and bounded.
        sources: the plugin's files; None before it has any.
    """
    # Python lists the newest thread first, so the main one is the last; tasks come before.
    return stacks_of(list(reversed(threads_in(text).values())), sources)


def threads_in(text: str) -> dict[str, RawThread]:
    """The threads in a text, by their numbers in hexadecimal; the newest is the first."""
    found: dict[str, RawThread] = {}
    for ident, thread in _threads(text):
        found.setdefault(ident, thread)
    return found


def _threads(text: str) -> Iterator[tuple[str, RawThread]]:
    """Each thread with its number."""
    ident, name, frames = None, "", list[RawFrame]()
    for line in text.splitlines():
        thread, frame = _THREAD.fullmatch(line), _FRAME.fullmatch(line)
        if thread:
            if ident is not None:
                yield ident, RawThread(name, frames[::-1])
            ident, name, frames = thread[1] or "", thread[2] or "", []
        elif frame and ident is not None:
            number = int(frame[2]) if frame[2].isdigit() else 0
            frames.append(RawFrame(_unescaped(frame[1]), number, _unescaped(frame[3])))
    if ident is not None:
        yield ident, RawThread(name, frames[::-1])


def _unescaped(text: str) -> str:
    """What faulthandler escapes, which is all that is not printable ASCII."""

    def character(match: re.Match[str]) -> str:
        code = int(match[1] or match[2] or match[3], 16)
        return chr(code) if code <= 0x10FFFF else match[0]

    return _ESCAPE.sub(character, text)
