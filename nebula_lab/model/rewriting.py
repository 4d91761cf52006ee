"""Raising pydantic's errors again with another text or from another place.

pydantic merges the errors of a nested model into those of the model around it only if they are
raised as its own `ValidationError`, which has to be built anew to be changed.
"""

from __future__ import annotations

from collections.abc import Callable

from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, PydanticKnownError

__all__ = ["rewritten", "same_line"]


def rewritten(
    error: ValidationError, line: Callable[[ErrorDetails], InitErrorDetails]
) -> ValidationError:
    """A copy of `error` with each of its lines replaced by what `line` makes of it."""
    lines = [line(detail) for detail in error.errors(include_url=False)]
    return ValidationError.from_exception_data(error.title, lines, hide_input=True)


def same_line(detail: ErrorDetails) -> InitErrorDetails:
    """The line that `detail` describes, unchanged."""
    same = InitErrorDetails(type=_kind(detail), loc=detail["loc"], input=detail["input"])
    if "ctx" in detail:
        same["ctx"] = detail["ctx"]
    return same


def _kind(detail: ErrorDetails) -> str | PydanticCustomError:
    try:
        PydanticKnownError(detail["type"], detail.get("ctx"))  # type: ignore[arg-type]
    except (KeyError, TypeError):  # not one of pydantic's own
        return PydanticCustomError(
            detail["type"],
            "{text}",
            {"text": detail["msg"]},
        )
    return detail["type"]
