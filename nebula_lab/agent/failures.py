"""Turns what a plugin raised into what the manager is told, in the plugin's own frames."""

from __future__ import annotations

import traceback
from asyncio import CancelledError
from pathlib import Path
from types import TracebackType

from nebula_lab.agent.job import EscapedError, JobCancelledError
from nebula_lab.agent.obstacles import obstacle_of
from nebula_lab.plugin.errors import PluginError
from nebula_lab.wire.errors import LocalProtocolError, ValueNotSupportedError
from nebula_lab.wire.messages import Failure

_OURS = str(Path(__file__).parents[1])
_OUR_PARTS = tuple(f"{_OURS}/{part}/" for part in ("agent", "plugin", "link", "wire", "sandbox"))
_IMPORT_MACHINERY = "<frozen importlib"
_IPYTHON_SHELL = "/IPython/core/interactiveshell.py"  # runs cells
MAX_TEXT = 64 * 1024


class MissingEntryError(Exception):
    """The plugin's source has no usable `plugin_entry`."""


class LoadError(Exception):
    """The plugin's source is there but is not a plugin that can run here."""


def failure_of(error: BaseException, call: int) -> Failure:
    """The message that says why `call` gave no result."""
    if isinstance(error, EscapedError) and error.__cause__ is not None:
        error = error.__cause__
    element = error.element if isinstance(error, ValueNotSupportedError) else ""
    return Failure(
        call=call,
        kind=_kind(error),
        error_type=type(error).__name__,
        message=_capped(_message(error)),
        traceback="" if _explains_itself(error) else _capped(own_traceback(error)),
        element=element,
        obstacle=obstacle_of(error),
    )


def own_traceback(error: BaseException) -> str:
    """The traceback as text, without the frames of nebula_lab and of the import system."""
    summary = traceback.TracebackException.from_exception(error)
    _drop_our_frames(summary, set())
    return "".join(summary.format()).rstrip()


def _drop_our_frames(summary: traceback.TracebackException, seen: set[int]) -> None:
    if id(summary) in seen:
        return
    seen.add(id(summary))
    kept = [frame for frame in summary.stack if not is_ours(frame.filename)]
    summary.stack = traceback.StackSummary.from_list(kept)
    group = getattr(summary, "exceptions", None) or ()
    for other in (summary.__cause__, summary.__context__, *group):
        if other is not None:
            _drop_our_frames(other, seen)


def is_ours(filename: str) -> bool:
    return filename.startswith((*_OUR_PARTS, _IMPORT_MACHINERY)) or filename.endswith(
        _IPYTHON_SHELL
    )


def _kind(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt | JobCancelledError | CancelledError):
        return "cancelled"
    for kind, name in _KINDS.items():
        if isinstance(error, kind):
            return name
    return "raised"


_KINDS: dict[type[BaseException], str] = {
    MissingEntryError: "symbol",
    LoadError: "load",
    ValueNotSupportedError: "unsupported_value",
    LocalProtocolError: "too_large",
}


def _explains_itself(error: BaseException) -> bool:
    return isinstance(error, tuple(_KINDS)) or (
        isinstance(error, PluginError) and not _has_frames_of_the_plugin(error.__traceback__)
    )


def _has_frames_of_the_plugin(frames: TracebackType | None) -> bool:
    return any(not is_ours(frame.f_code.co_filename) for frame, _ in traceback.walk_tb(frames))


def _message(error: BaseException) -> str:
    try:
        return str(error) or type(error).__name__
    except Exception:  # noqa: BLE001 - it is the plugin's own __str__ that failed
        return f"{type(error).__name__}, whose text can't be had: its __str__ raised"


def _capped(text: str) -> str:
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}\n… {len(text):,} characters"
