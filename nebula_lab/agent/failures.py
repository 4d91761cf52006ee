"""Turns what a plugin raised into what the manager is told, in the plugin's own frames."""

from __future__ import annotations

import sys

from nebula_lab.agent.job import EscapedError, JobCancelledError
from nebula_lab.agent.load_errors import LoadError, MissingEntryError
from nebula_lab.agent.obstacles import obstacle_of
from nebula_lab.agent.tracebacks import (
    capped,
    had,
    has_frames_of_the_plugin,
    message_of,
    request_behind,
    traceback_of,
)
from nebula_lab.plugin.errors import PluginError
from nebula_lab.wire.errors import LocalProtocolError, ValueNotSupportedError
from nebula_lab.wire.messages import Failure


def failure_of(error: BaseException, call: int) -> Failure:
    """The message that says why `call` gave no result."""
    if isinstance(error, EscapedError) and error.__cause__ is not None:
        error = error.__cause__
    element = error.element if isinstance(error, ValueNotSupportedError) else ""
    return Failure(
        call=call,
        kind=_kind(error),
        error_type=type(error).__name__,
        message=capped(message_of(error)),
        traceback="" if _explains_itself(error) else capped(traceback_of(error)),
        element=element,
        obstacle=had(lambda: obstacle_of(error), ""),
        request=had(lambda: request_behind(error), 0),
    )


def _is_of_task(error: BaseException) -> bool:
    """Whether a task was cancelled; there is none where nobody has imported asyncio."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and isinstance(error, asyncio.CancelledError)


def _kind(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt | JobCancelledError) or _is_of_task(error):
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
        isinstance(error, PluginError) and not has_frames_of_the_plugin(error.__traceback__)
    )
