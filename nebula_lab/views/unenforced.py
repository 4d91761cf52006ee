"""What a configuration asks for and this version does not enforce."""

from __future__ import annotations

from collections.abc import Sequence

from nebula_lab.views.rendered import Rendered
from nebula_lab.views.safe_text import escaped_prose, prose


def unenforced_note(sentences: Sequence[str]) -> Rendered:
    """One line for each thing."""
    if not sentences:
        nothing = "Everything that the configuration asks for is enforced."
        return Rendered(nothing, f"<p>{nothing}</p>")
    items = "".join(f"<li>{escaped_prose(sentence)}</li>" for sentence in sentences)
    return Rendered("\n".join(map(prose, sentences)), f"<ul>{items}</ul>")
