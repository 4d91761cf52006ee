"""What is kept of the last operation that raised, and the debugger that looks at it."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from nebula_lab.agent.obstacles import obstacle_of
from nebula_lab.agent.staging import Staged
from nebula_lab.agent.tracebacks import has_frames_of_the_plugin, is_ours, message_of

if TYPE_CHECKING:
    from nebula_lab.agent.call_debugger import CallDebugger

# Bytes. The least that a plugin is given by default is 256 MiB, and what is kept here is missing
# for its next call.
MOST_HELD = 32 * 1024 * 1024
_MOST_FRAMES = 1_000
_SAMPLE = 100  # items of a container whose size stands for that of all
_LETS_GO = frozenset({"memory", "handles"})


class _Kept:
    def __init__(self, operation: str, error: BaseException) -> None:
        self.operation = operation
        self.error = error


class PostMortem:
    """Keeps the frames of the last operation that raised, one at a time and not too large.

    Args:
        plugin_id: whose operations they are.
        staged: has the source lines that ran.
        alone: whether nobody else uses this process.
    """

    def __init__(self, plugin_id: str, staged: Staged, *, alone: bool) -> None:
        self._plugin_id = plugin_id
        self._staged = staged
        self._alone = alone
        self._kept: _Kept | None = None
        self._why_not = ""
        self._looked_at: tuple[_Kept, CallDebugger] | None = None
        self._is_news = False  # another failure was being looked at when this one came

    def keep(self, operation: str, error: BaseException) -> None:
        """Note that an operation raised; on whatever thread it ran."""
        if not has_frames_of_the_plugin(error.__traceback__):
            return
        is_looked_at = self._looked_at is not None
        self.forget()
        self._is_news = is_looked_at
        _clear_our_frames(error.__traceback__)
        if obstacle_of(error) in _LETS_GO:
            self._why_not = (
                f"{operation} failed for want of memory or handles, so what it held was let go"
            )
        elif held_by(error.__traceback__) > MOST_HELD:
            self._why_not = (
                f"the variables of {operation}, which failed, held more than "
                f"{MOST_HELD // 1024**2} MiB, so they were let go"
            )
        else:
            self._kept = _Kept(operation, error)

    def forget(self) -> None:
        """Let go of what is kept."""
        self._kept = self._looked_at = None
        self._why_not = ""
        self._is_news = False

    def answer(self, command: str) -> dict[str, str]:
        """What a debugger's command gives, as `text`; or, as `nothing`, why there is nothing.

        An empty command begins at the frame that raised, and shows the error and the stack.
        """
        kept = self._kept
        if kept is None:
            return {"nothing": self._why_not}
        self._staged.put_lines()
        debugger, news = self._debugger(kept)
        if not command.strip():
            debugger.begin()
            return {"text": self._headline(kept) + debugger.stack_shown()}
        text = debugger.run_command(command)
        if debugger.wants_to_forget:
            self.forget()
        return {"text": news + text}

    def _debugger(self, kept: _Kept) -> tuple[CallDebugger, str]:
        """The debugger at that failure; and a line when it was at another until now."""
        former = self._looked_at
        if former is not None and former[0] is kept:
            return former[1], ""
        news, self._is_news = self._is_news, False
        # Importing it takes 15 ms, and most plugins are never debugged.
        from nebula_lab.agent.call_debugger import CallDebugger

        debugger = CallDebugger(kept.error, takes_prints=self._alone)
        self._looked_at = (kept, debugger)
        return debugger, f"(this is about {kept.operation}, which failed last)\n" if news else ""

    def _headline(self, kept: _Kept) -> str:
        said = message_of(kept.error)
        name = type(kept.error).__name__
        return f"{self._plugin_id}.{kept.operation}: {name}{'' if said == name else f': {said}'}\n"


def _clear_our_frames(frames: TracebackType | None) -> None:
    """Let go of what frames of ours hold, such as the message with the params."""
    for frame, _ in traceback.walk_tb(frames):
        if is_ours(frame.f_code.co_filename):
            with contextlib.suppress(RuntimeError):  # it still runs
                frame.clear()


def held_by(frames: TracebackType | None) -> int:
    """About how many bytes the plain values and arrays in the variables of a traceback take."""
    seen: set[int] = set()
    total = 0
    for number, (frame, _) in enumerate(traceback.walk_tb(frames)):
        names = frame.f_locals
        if number == _MOST_FRAMES or total > MOST_HELD:
            break
        if names is frame.f_globals or is_ours(frame.f_code.co_filename):
            continue
        for value in list(names.values()):
            if id(value) not in seen:
                seen.add(id(value))
                # An estimate: a library's oddity, or a dict that another thread changes, must
                # not keep the failure from being told.
                with contextlib.suppress(Exception):
                    total += _size(value)
    return total


def _size(value: Any) -> int:
    kind = type(value)
    if kind in (str, bytes, bytearray):
        return sys.getsizeof(value)
    if kind in (list, tuple, set, frozenset, dict):
        return sys.getsizeof(value) + _size_of_items(value)
    table_size = _TABLES.get(kind.__module__.partition(".")[0])
    return 0 if table_size is None else int(table_size(value))


def _size_of_items(container: Any) -> int:
    items = container.values() if type(container) is dict else container
    sample = [item for item, _ in zip(items, range(_SAMPLE), strict=False)]
    if not sample:
        return 0
    sizes = [
        sys.getsizeof(item) if type(item) in _PLAIN else getattr(item, "nbytes", 0)
        for item in sample
        if type(item) in _PLAIN or type(item).__module__ == "numpy"
    ]
    return sum(sizes) * len(container) // len(sample)


_PLAIN = frozenset({str, bytes, bytearray, int, float, list, tuple, dict, set})
# How many bytes a value of that package takes.
_TABLES: dict[str, Callable[[Any], Any]] = {
    "numpy": lambda value: value.nbytes,
    "pyarrow": lambda value: value.nbytes,
    "polars": lambda value: value.estimated_size(),
    "pandas": lambda value: getattr(usage := value.memory_usage(), "sum", lambda: usage)(),
}
