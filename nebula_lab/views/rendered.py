"""What every view gives: one thing to see, in several forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

_PRE = '<pre style="font-family:var(--jp-code-font-family, monospace)">{}</pre>'


@dataclass(frozen=True, repr=False)
class Rendered:
    """Shows itself in a terminal, a notebook or anything that speaks Jupyter's display protocol.

    Attributes:
        text: for a terminal; its lines do not end in a line break.
        html: the same for a browser; empty where the text, or `extra_mime`, does better.
        extra_mime: further forms by MIME type.
    """

    text: str
    html: str = ""
    extra_mime: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def with_html(self) -> Rendered:
        """The same with its text as HTML where it has none: what draws no picture shows that."""
        return self if self.html else replace(self, html=_PRE.format(escape(self.text)))

    def mime_bundle(self) -> dict[str, Any]:
        """All forms by MIME type."""
        bundle: dict[str, Any] = {"text/plain": self.text}
        if self.html:
            bundle["text/html"] = self.html
        return bundle | dict(self.extra_mime)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self.mime_bundle()

    def __repr__(self) -> str:
        return self.text

    def __str__(self) -> str:
        return self.text
