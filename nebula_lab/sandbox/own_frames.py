"""Makes of all frames of all threads what a plugin's author looks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nebula_lab.agent.tracebacks import is_ours
from nebula_lab.plugin.safe_text import line as clean
from nebula_lab.reports.stacks import HostStacks, StackFrame, ThreadStack
from nebula_lab.sandbox.source_lines import SourceLines

_MOST_THREADS, _MOST_FRAMES, _LONGEST_NAME = 50, 60, 500
_PACKAGE = f"{Path(__file__).parents[1]}/"
# Around a plugin's own frames: nobody looks for anything there.
_SURROUNDING = ("/threading.py", "/ipykernel/", "<frozen runpy>", "<string>")


class RawFrame(NamedTuple):
    """A frame as Python has it; line 0 is one that is not known."""

    file: str
    line: int
    function: str


class RawThread(NamedTuple):
    """A thread or a task: its name, where it has one, and its frames, outermost first."""

    name: str
    frames: Sequence[RawFrame]


def stacks_of(threads: Sequence[RawThread], sources: SourceLines | None) -> HostStacks:
    """The stacks of a host.

    Args:
        threads: the main one first.
        sources: the plugin's files; None before it has any.
    """
    if not threads:
        return HostStacks()
    main, *others = (
        (thread.name, [_known(frame, sources) for frame in thread.frames]) for thread in threads
    )
    own = [one for one in others if any(frame.is_plugin for frame in one[1])]
    shown = [("Main thread", main[1]), *own][:_MOST_THREADS]
    return HostStacks(
        threads=tuple(
            ThreadStack(clean(name) or f"Thread {number}", _without_ours(frames))
            for number, (name, frames) in enumerate(shown)
        ),
        folded=len(threads) - len(shown),
    )


def _known(frame: RawFrame, sources: SourceLines | None) -> StackFrame:
    is_own = sources is not None and sources.is_own(frame.file)
    source = sources.line(frame.file, frame.line) if sources is not None and is_own else ""
    file, function = clean(frame.file, _LONGEST_NAME), clean(frame.function)
    return StackFrame(file, frame.line, function, clean(source), is_own)


def _without_ours(frames: Sequence[StackFrame]) -> tuple[StackFrame, ...]:
    """From the plugin's outermost frame on, without those of ours that it called."""
    own = [number for number, frame in enumerate(frames) if frame.is_plugin]
    around = [number for number, frame in enumerate(frames) if _surrounds(frame)]
    first = own[0] if own else max(around, default=-1) + 1
    return tuple([frame for frame in frames[first:] if not _is_ours(frame)][-_MOST_FRAMES:])


def _surrounds(frame: StackFrame) -> bool:
    return _is_ours(frame) or any(part in frame.file for part in _SURROUNDING)


def _is_ours(frame: StackFrame) -> bool:
    return not frame.is_plugin and (frame.file.startswith(_PACKAGE) or is_ours(frame.file))
