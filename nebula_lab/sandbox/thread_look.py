"""A look at a plugin that runs on threads of this very process."""

from __future__ import annotations

import sys
import traceback
from types import FrameType

from nebula_lab.reports.stacks import HostStacks
from nebula_lab.sandbox.look import Look
from nebula_lab.sandbox.own_frames import RawFrame, RawThread, stacks_of
from nebula_lab.sandbox.source_lines import SourceLines


def look_at_threads(main: int | None, sources: SourceLines | None) -> Look:
    """What a plugin's threads are at now: other threads here are none of its affair.

    Args:
        main: the number of the thread that serves the plugin.
        sources: the plugin's files.
    """
    frames = sys._current_frames()
    ours = frames.pop(main, None) if main is not None else None
    threads = [] if ours is None else [_raw(ours)]
    threads += map(_raw, frames.values())
    stacks = stacks_of(threads, sources)
    return Look(lambda: HostStacks(stacks.threads))


def _raw(frame: FrameType) -> RawThread:
    found = [
        RawFrame(one.f_code.co_filename, number or 0, one.f_code.co_name)
        for one, number in traceback.walk_stack(frame)
    ]
    return RawThread("", found[::-1])
