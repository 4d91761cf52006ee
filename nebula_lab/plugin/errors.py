"""The root of the error tree, on the author's side so that plugins can raise it too."""

from __future__ import annotations

from nebula_lab.plugin.showing import mime_bundle, pretty_text

# Spelt out here, and so in every file of this package that a plugin imports at once: `typing` and
# `pathlib` each cost more than everything else together (12 ms and 14 ms where it was measured).
TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

_TEXT_LIMIT = 50_000  # characters


class PluginError(Exception):
    """Anything that goes wrong with a plugin; the rest of the tree is in `nebula_lab.errors`.

    Args:
        message: what happened, in one sentence.
        plugin_id: the plugin it happened to.
        path: the file that is to blame, where there is one.
        line: the line in that file, counted from 1.
        hint: what to do about it.

    Attributes:
        diff: where a reload failed, how the new code differs from what served before, as text.

    `str()` is safe to show and has an end; the attributes are what they were given.
    """

    diff = ""

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

    def headline(self) -> str:
        """What happened, where, and what to do; a plugin may have written parts of it."""
        text = f"{self.plugin_id}: {self.message}" if self.plugin_id else self.message
        return self._with_hint(f"{text}\n  in {self.location}" if self.location else text)

    def details(self) -> str:
        """The longer texts below the headline, such as the plugin's own traceback."""
        return ""

    _repr_mimebundle_ = mime_bundle
    _repr_pretty_ = pretty_text

    def _with_hint(self, text: str) -> str:
        return f"{text}\n  {self.hint}" if self.hint else text

    def __str__(self) -> str:
        # An error that nobody catches is printed as this: it must not steer the terminal.
        from nebula_lab.plugin.safe_text import prose

        return prose(self.headline() + self.details(), _TEXT_LIMIT)
