"""A picture as a notebook shows it, with the words that say the same."""

from __future__ import annotations

import base64
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DOTS = 144  # an inch: twice those of a plain screen, as a PDF and a good screen want it
_SCALE = 2


class Picture:
    """A drawing of matplotlib's, which a notebook shows without `%matplotlib`.

    Args:
        figure: the drawing; change it as you like before it is shown.
        text: what it shows, in words: for a terminal, a screen reader and a PDF.
    """

    def __init__(self, figure: Figure, text: str) -> None:
        self.figure = figure
        self.text = text

    def png(self) -> bytes:
        """The picture as a file in PNG format."""
        drawn = io.BytesIO()
        self._write(drawn, "png")
        return drawn.getvalue()

    def save(self, path: str | Path) -> None:
        """Write it to a file, in the format of its suffix, such as .png, .svg or .pdf.

        Raises:
            OSError, ValueError: it can't be written there, or not in that format.
        """
        self._write(path)

    def _write(self, target: Any, form: str | None = None) -> None:
        with warnings.catch_warnings():
            # A name in a script that the font does not have is drawn as boxes.
            warnings.filterwarnings("ignore", "Glyph", UserWarning)
            self.figure.savefig(target, format=form, dpi=_DOTS)

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        width, height = self.figure.get_size_inches() * _DOTS / _SCALE
        data = {"image/png": base64.b64encode(self.png()).decode(), "text/plain": self.text}
        size = {"width": round(width), "height": round(height), "alt": self.text}
        return data, {"image/png": size}

    def __repr__(self) -> str:
        return self.text
