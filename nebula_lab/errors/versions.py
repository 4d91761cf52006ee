"""Errors about versions: ones that can't be read, that conflict, that are not what was locked.

They are a part of the tree of `nebula_lab.errors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nebula_lab.plugin.errors import PluginError


class InvalidVersionError(PluginError, ValueError):
    """Text that is not a semantic version."""


class InvalidRequirementError(PluginError, ValueError):
    """Text that is not a version requirement.

    Attributes:
        text: the whole requirement.
        position: offset of the offending character, counted from 0.
    """

    def __init__(self, message: str, *, text: str, position: int) -> None:
        super().__init__(message)
        self.text = text
        self.position = position

    def headline(self) -> str:
        pointer = " " * self.position + "^"
        return f"{self.message}\n  {self.text}\n  {pointer}"


class VersionConflictError(PluginError):
    """One plugin is there in one version and wanted in another."""

    def __init__(
        self,
        plugin_id: str,
        *,
        existing: object,
        requested: object,
        path: str | Path | None = None,
        line: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(
            f"version conflict: existing {existing}, requested {requested}",
            plugin_id=plugin_id,
            path=path,
            line=line,
            hint=hint,
        )
        self.existing = existing
        self.requested = requested


class NoVersionFitsError(VersionConflictError):
    """There is no choice of versions with which everything that is wanted would fit.

    Attributes:
        reasons: sentences: who asks for what, through whom, and which versions there are.
        cures: sentences: what to change so that there is a choice.
        had_choice: whether there are several versions of any of the plugins, or pins.
    """

    def __init__(
        self,
        plugin_id: str,
        message: str,
        *,
        existing: object,
        requested: object,
        reasons: Sequence[str],
        cures: Sequence[str],
        had_choice: bool = True,
        path: str | Path | None = None,
        line: int | None = None,
    ) -> None:
        super().__init__(plugin_id, existing=existing, requested=requested, path=path, line=line)
        self.message = message
        self.reasons = tuple(reasons)
        self.cures = tuple(cures)
        self.had_choice = had_choice
        self.args = (message,)
        self.hint = "\n  ".join(self.cures) or None

    def headline(self) -> str:
        text = f"{self.plugin_id}: {self.message}" if self.plugin_id else self.message
        return "\n  ".join((text, *self.reasons, *self.cures))


class ChoosingTimeoutError(PluginError, TimeoutError):
    """Choosing versions took longer than it may; nothing was chosen, and nothing was changed.

    Attributes:
        seconds: that it had.
        plugins: how many were looked at.
        decided: for how many of these a version had been taken.
        contradictions: how many had been met.
        contended: the plugins that these were about most often.
    """

    def __init__(
        self,
        seconds: float,
        *,
        plugins: int,
        decided: int,
        contradictions: int,
        contended: Sequence[str],
    ) -> None:
        about = f", most often about {', '.join(contended)}" if contended else ""
        super().__init__(
            f"versions that go together were looked for for {seconds:g} s, and none were found "
            f"until then: {decided:,} of {plugins:,} plugins had one, and {contradictions:,} "
            f"contradictions had been met{about}",
            hint="Ask for narrower versions or pin some of them, so that there is less to try; or "
            "set choosing_timeout in the configuration to more seconds.",
        )
        self.seconds = seconds
        self.plugins = plugins
        self.decided = decided
        self.contradictions = contradictions
        self.contended = tuple(contended)


class LockError(PluginError):
    """A lock file that can't be read or written."""


class LockMismatchError(LockError):
    """What is there is not what the lock file says.

    Attributes:
        differences: one sentence for each.
    """

    def __init__(
        self, differences: Sequence[str], *, path: str | Path | None, hint: str, plugin_id: str = ""
    ) -> None:
        super().__init__(
            "the plugins are not as they were locked",
            plugin_id=plugin_id or None,
            path=path,
            hint=hint,
        )
        self.differences = tuple(differences)

    def headline(self) -> str:
        where = f" ({self.location})" if self.location else ""
        lines = [f"{self.message}{where}", *self.differences, self.hint or ""]
        return "\n  ".join(filter(None, lines))
