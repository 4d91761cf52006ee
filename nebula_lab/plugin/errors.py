"""The root of the error tree, on the author's side so that plugins can raise it too."""

from __future__ import annotations

# Spelt out here, and so in every file of this package that a plugin imports at once: `typing` and
# `pathlib` each cost more than everything else together (12 ms and 14 ms where it was measured).
TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


class PluginError(Exception):
    """Anything that goes wrong with a plugin; the rest of the tree is in `nebula_lab.errors`.

    Args:
        message: what happened, in one sentence.
        plugin_id: the plugin it happened to.
        path: the file that is to blame, where there is one.
        line: the line in that file, counted from 1.
        hint: what to do about it.
    """

    def __init__(
        self,
        message: str = "",
        *,
        plugin_id: str | None = None,
        path: str | Path | None = None,
        line: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.plugin_id = plugin_id
        self.path = path
        self.line = line
        self.hint = hint

    @property
    def location(self) -> str:
        """`file:line`, `file`, or nothing."""
        if self.path is None:
            return ""
        return f"{self.path}:{self.line}" if self.line is not None else str(self.path)

    def __str__(self) -> str:
        text = f"{self.plugin_id}: {self.message}" if self.plugin_id else self.message
        if self.location:
            text += f"\n  in {self.location}"
        if self.hint:
            text += f"\n  {self.hint}"
        return text
