"""What went wrong with a build, from what uv and the system say."""

from __future__ import annotations

import errno
import re
from pathlib import Path

from nebula_lab.environments.source_error import SourceError
from nebula_lab.environments.uv_tool import UvError
from nebula_lab.errors import EnvironmentFailedError
from nebula_lab.plugin.safe_text import prose

__all__ = ["failure_from_source", "failure_from_system", "failure_from_uv"]

_LONGEST = 8_000  # characters of an explanation
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_SYSTEM_ERROR = re.compile(r"\(os error ([0-9]+)\)")
# What uv says, and then: what happened, and what to do. The first that fits holds.
_KINDS: tuple[tuple[str, str, str], ...] = (
    (
        r"can't be run|find_uv_bin|No such file.*uv\b",
        "uv, which builds environments, can't be run",
        "Install it beside nebula_lab: python -m pip install uv.",
    ),
    (
        r"no usable wheels|building from source is disabled",
        "it asks for a package that is only there as source code",
        "Building it runs its code, in a sandbox, and only if you allow that: `python: "
        "{allow_source: true}` in your configuration. Or ask for a version that has a wheel for "
        "this Python, or build the wheel yourself and put its folder into UV_FIND_LINKS.",
    ),
    (
        r"can't be kept from starting programs",
        "it asks for a package that is only there as source code, and this machine can't confine "
        "what looks at that",
        "nebula-lab doctor says what is missing. Or ask for a version that has a wheel.",
    ),
    (
        r"401 Unauthorized|403 Forbidden|valid authentication credentials",
        "a package index refused access",
        "Check the user name and password, or token, in the settings of uv or pip.",
    ),
    (
        r"No solution found",
        "no choice of packages does what it asks for",
        "Change python.dependencies as the explanation says; your package indexes are those of uv "
        "and pip.",
    ),
    (
        r"[Hh]ash mismatch|hash does not match",
        "a package is not the one that was chosen: its hash is another",
        "If it was locked, the index has replaced it; else try again.",
    ),
    (
        r"error sending request|Failed to fetch|Failed to download|timed? ?out|dns error|offline",
        "its packages could not be fetched",
        "Check the network, its proxy, and the package indexes in the settings of uv and pip; "
        "then load it again. What has been fetched is kept.",
    ),
)
_UNKNOWN = ("its environment could not be built", "What uv said is below.")


def failure_from_uv(error: UvError, root: Path) -> EnvironmentFailedError:
    """The error for a build at which uv failed."""
    numbers = {int(number) for number in _SYSTEM_ERROR.findall(error.said)}
    if numbers & _FULL:
        return _no_room(root, error.said)
    kinds = (kind[1:] for kind in _KINDS if re.search(kind[0], error.said))
    message, hint = next(kinds, _UNKNOWN)
    return EnvironmentFailedError(message, explanation=_shown(error.said), hint=hint)


def failure_from_source(error: SourceError) -> EnvironmentFailedError:
    """The error for a package that can't be built from source."""
    said = prose(error.said, _LONGEST) if error.said else ""
    return EnvironmentFailedError(error.message, explanation=said, hint=error.hint)


def failure_from_system(error: OSError, root: Path) -> EnvironmentFailedError:
    """The error for a build that the system did not let be written."""
    if error.errno in _FULL:
        return _no_room(root, "")
    return EnvironmentFailedError(
        f"its environment can't be kept in {root}: {error}",
        hint="Set NEBULA_LAB_HOME or XDG_CACHE_HOME to a folder where you may write.",
    )


def _no_room(root: Path, said: str) -> EnvironmentFailedError:
    return EnvironmentFailedError(
        f"there is no room for its environment in {root}, or in the cache of uv",
        explanation=_shown(said),
        hint="Make room (`nebula-lab env gc` and `uv cache prune` do), then load it again. Nothing "
        "half-built is left.",
    )


def _shown(said: str) -> str:
    return (
        said if len(said) <= _LONGEST else f"{said[: _LONGEST // 2]}\n…\n{said[-_LONGEST // 2 :]}"
    )
