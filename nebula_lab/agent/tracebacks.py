"""Tracebacks and messages of what a plugin raised, in the plugin's own frames.

Nothing here needs more than the standard library, so that it serves inside every sandbox.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from nebula_lab.plugin.errors import PluginError
from nebula_lab.plugin.safe_text import ends_kept

_OURS = str(Path(__file__).parents[1])
_OUR_PARTS = tuple(f"{_OURS}/{part}/" for part in ("agent", "plugin", "link", "wire", "sandbox"))
_IMPORT_MACHINERY = "<frozen importlib"
_IPYTHON_SHELL = "/IPython/core/interactiveshell.py"  # runs cells
_ASYNCIO = f"{Path(os.__file__).parent}/asyncio/"
MAX_TEXT = 64 * 1024
_MOST_FRAMES = 2_000  # the innermost ones of each exception; a plugin can raise Python's own limit
_REQUEST = "_nebula_request"  # the attribute of an error that a call between plugins gave

T = TypeVar("T")


def traceback_of(error: BaseException) -> str:
    """`own_traceback`, or words that say that it can't be had."""
    return had(lambda: own_traceback(error), "(Its traceback can't be had.)")


def own_traceback(error: BaseException) -> str:
    """The traceback as text, without the frames of nebula_lab and of the import system."""
    summary = traceback.TracebackException.from_exception(error, limit=-_MOST_FRAMES)
    for part in _parts(summary):
        own = without_ours(part.stack, lambda frame: frame.filename)
        part.stack = traceback.StackSummary.from_list(own)
    return "".join(summary.format()).rstrip()


def _parts(summary: traceback.TracebackException) -> Iterable[traceback.TracebackException]:
    """An error, those that led to it, and those that it is a group of."""
    seen: set[int] = set()
    left = [summary]
    while left:  # no recursion: a chain may be longer than Python's limit
        part = left.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        group = getattr(part, "exceptions", None) or ()
        left += [one for one in (part.__cause__, part.__context__, *group) if one is not None]


def without_ours(frames: Iterable[T], filename: Callable[[T], str]) -> list[T]:
    """The frames of the plugin and of what it uses, from a list that begins with the outermost."""
    own = [frame for frame in frames if not is_ours(filename(frame))]
    # What comes ahead of the plugin's is asyncio's way to a coroutine that we have it run.
    first = next((at for at, one in enumerate(own) if not _is_asyncio(filename(one))), 0)
    return own[first:]


def _is_asyncio(filename: str) -> bool:
    return filename.startswith(_ASYNCIO)


def is_ours(filename: str) -> bool:
    return filename.startswith((*_OUR_PARTS, _IMPORT_MACHINERY)) or filename.endswith(
        _IPYTHON_SHELL
    )


def has_frames_of_the_plugin(frames: TracebackType | None) -> bool:
    """Whether any of the frames is the plugin's own."""
    return any(not is_ours(frame.f_code.co_filename) for frame, _ in traceback.walk_tb(frames))


def message_of(error: BaseException) -> str:
    """What an error says, or its name."""
    name = type(error).__name__
    return had(lambda: str(error) or name, f"{name}, whose text can't be had: its __str__ raised")


def came_of(error: PluginError, request: int) -> PluginError:
    """Note on an error that a call between plugins gave it, by the call's number."""
    setattr(error, _REQUEST, request)
    return error


def request_behind(error: BaseException) -> int:
    """The number of the call between plugins that led to an error; 0 where there is none."""
    seen: set[int] = set()
    left = [error]
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        request = vars(one).get(_REQUEST) if isinstance(one, PluginError) else None
        if request is not None:
            return int(request)
        group = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        led_to = (one.__context__, one.__cause__)
        left += [*group, *(other for other in led_to if other is not None)]
    return 0


def had(get: Callable[[], T], otherwise: T) -> T:
    """Something of an error that may take the plugin's own code to be had, which may raise."""
    try:
        return get()
    except BaseException:  # noqa: BLE001 - a SystemExit from there would end the host
        return otherwise


def capped(text: str) -> str:
    """A text that can be sent, its middle left out where it is too long."""
    return ends_kept(text.encode("utf-8", "backslashreplace").decode(), MAX_TEXT)
