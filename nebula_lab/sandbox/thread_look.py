"""A look at a plugin that runs on threads of this very process.

It is faulthandler that looks, not `sys._current_frames`: the other thread goes on between two steps
of a walk along `f_back`, and CPython 3.11 has died of following a frame that was left meanwhile.
faulthandler makes no objects of the frames, and keeps Python's lock until it is done.
"""

from __future__ import annotations

import faulthandler
import tempfile

from nebula_lab.reports.stacks import HostStacks
from nebula_lab.sandbox.look import Look
from nebula_lab.sandbox.own_frames import stacks_of
from nebula_lab.sandbox.source_lines import SourceLines
from nebula_lab.sandbox.stack_text import threads_in


def look_at_threads(main: int | None, sources: SourceLines | None) -> Look:
    """What a plugin's threads are at now: other threads here are none of its affair.

    Args:
        main: the number of the thread that serves the plugin.
        sources: the plugin's files.
    """
    try:
        text = _written()
    except OSError as error:  # there are no descriptors left, or there is no room
        trouble = f"it could not be looked at: {error.strerror}"
        return Look(lambda: HostStacks(trouble=trouble))
    threads = {int(ident or "0", 16): thread for ident, thread in threads_in(text).items()}
    served = threads.pop(main, None) if main is not None else None
    first = [] if served is None else [served]
    stacks = stacks_of([*first, *threads.values()], sources)
    return Look(lambda: HostStacks(stacks.threads))


def _written() -> str:
    with tempfile.TemporaryFile() as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        return file.read().decode("ascii", "replace")
