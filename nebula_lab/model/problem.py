"""What is wrong with a plugin that was found, said in one shape by discovery and the resolver."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Literal

from msgspec import Struct

from nebula_lab.errors import (
    DependencyCycleError,
    DependencyError,
    DiscoveryError,
    LockError,
    MetadataLoadError,
    PluginError,
    VersionConflictError,
)
from nebula_lab.model.descriptor import SourceLocation
from nebula_lab.plugin.safe_text import prose
from nebula_lab.plugin.showing import mime_bundle, pretty_text

__all__ = ["Declaration", "Problem", "ProblemList", "ProblemKind", "Severity"]

Severity = Literal["error", "note"]


class ProblemKind(StrEnum):
    """The kinds that the resolver and the policy give; discovery has kinds of its own."""

    MISSING_DEPENDENCY = "missing-dependency"
    VERSION_MISMATCH = "version-mismatch"
    NEBULA_VERSION = "nebula-version"
    API_VERSION = "api-version"
    CYCLE = "cycle"
    BROKEN_DEPENDENCY = "broken-dependency"
    OPTIONAL_LEFT_OUT = "optional-left-out"
    REFUSED_RIGHT = "refused-right"
    WIDE_RIGHT = "wide-right"
    NO_VERSION_FITS = "no-version-fits"
    OTHER_VERSION = "other-version"
    LOCK = "lock"


class Declaration(Struct, frozen=True):
    """Where one plugin says that it depends on another."""

    dependent: str
    dependency: str
    location: SourceLocation | None = None

    def __str__(self) -> str:
        where = f" ({self.location})" if self.location else ""
        return prose(f"{self.dependent} needs {self.dependency}{where}")


class Problem(Struct, frozen=True):
    """One reason why a plugin is left out ("error"), or a thing to know of it ("note").

    Attributes:
        kind: one word for programs, such as "missing-dependency".
        message: what is wrong, to be read after the plugin's id.
        plugin_id: the plugin, where it has an id.
        location: the file and line that are to blame.
        cure: what to do about it.
        chain: the way from the plugin to the cause, such as ("a", "b", "missing c"); for a cycle
            the closed path, with its first id repeated at the end.
        declarations: where each dependency of a cycle is declared.
        existing: for a conflict of versions, what is there.
        requested: for a conflict of versions, what is wanted.
    """

    kind: str
    message: str
    plugin_id: str | None = None
    location: SourceLocation | None = None
    cure: str = ""
    chain: tuple[str, ...] = ()
    severity: Severity = "error"
    declarations: tuple[Declaration, ...] = ()
    existing: str = ""
    requested: str = ""

    @classmethod
    def from_error(cls, error: PluginError, kind: str, severity: Severity = "error") -> Problem:
        """The entry for a plugin that an error put out of the running."""
        location = SourceLocation(Path(error.path), error.line) if error.path is not None else None
        return cls(
            kind=kind,
            message=error.message,
            plugin_id=error.plugin_id,
            location=location,
            cure=error.hint or "",
            severity=severity,
        )

    def to_error(self) -> PluginError:
        """The error to raise when someone asks for this plugin all the same."""
        return _ERRORS.get(self.kind, _metadata_error)(self)

    def __str__(self) -> str:
        lines = [f"{self.plugin_id}: {self.message}" if self.plugin_id else self.message]
        if self.location is not None:
            lines.append(f"  in {self.location}")
        lines += [f"  {declaration}" for declaration in self.declarations]
        if self.cure:
            lines.append(f"  {self.cure}")
        return prose("\n".join(lines))

    _repr_mimebundle_ = mime_bundle


class ProblemList(tuple[Problem, ...]):
    """What `problems` gives: a tuple, which a notebook shows as a table with what to do."""

    __slots__ = ()
    _repr_mimebundle_ = mime_bundle
    _repr_pretty_ = pretty_text


def _plain(error_type: type[PluginError]) -> Callable[[Problem], PluginError]:
    def build(problem: Problem) -> PluginError:
        location = problem.location
        return error_type(
            problem.message,
            plugin_id=problem.plugin_id,
            path=location.path if location else None,
            line=location.line if location else None,
            hint=problem.cure or None,
        )

    return build


def _version_conflict(problem: Problem) -> PluginError:
    location = problem.location
    return VersionConflictError(
        problem.plugin_id or "",
        existing=problem.existing,
        requested=problem.requested,
        path=location.path if location else None,
        line=location.line if location else None,
        hint="\n  ".join(text for text in (problem.message, problem.cure) if text),
    )


def _cycle(problem: Problem) -> PluginError:
    lines = [problem.message, *(f"  {declaration}" for declaration in problem.declarations)]
    return DependencyCycleError("\n".join(lines), cycle=problem.chain, hint=problem.cure or None)


_metadata_error = _plain(MetadataLoadError)
_ERRORS: Mapping[str, Callable[[Problem], PluginError]] = {
    ProblemKind.MISSING_DEPENDENCY: _plain(DependencyError),
    ProblemKind.BROKEN_DEPENDENCY: _plain(DependencyError),
    ProblemKind.OPTIONAL_LEFT_OUT: _plain(DependencyError),
    ProblemKind.VERSION_MISMATCH: _version_conflict,
    ProblemKind.NEBULA_VERSION: _version_conflict,
    ProblemKind.API_VERSION: _version_conflict,
    ProblemKind.NO_VERSION_FITS: _version_conflict,
    ProblemKind.LOCK: _plain(LockError),
    ProblemKind.CYCLE: _cycle,
    "discovery": _plain(DiscoveryError),
}
