"""Markdown and LaTeX of a plugin, with nothing in them that a browser runs or fetches.

JupyterLab sanitises neither in an output that has just been made: it takes that for trusted. What
counts as HTML or a link depends on whose parser reads it (marked, markdown-it, Pandoc), so none of
ours decides: the characters without which there is neither are parted, wherever they stand, by a
character that shows nothing.
"""

from __future__ import annotations

import re

# A word joiner: no space, no break, and it looks right in code, where an entity would show itself.
_APART = "\u2060"
_IMAGE = re.compile(r"!(?=\[)")
# An inline link, unless its target says plainly where it leads; and the definition of a reference.
_LINK = re.compile(r"\](?=\s*\((?!https?://[\w./?=&%#~+,;@:-]+\)))")
_DEFINITION = re.compile(r"\](?=\s*:)")
# JupyterLab draws such a block, in a language with links and images of its own.
# Only from where a run begins: else a long one takes the square of its length.
_DIAGRAM = re.compile(r"(?<![`~])([`~]{3,}[^\S\n]*)(?=mermaid)", re.IGNORECASE)
# Entities that a browser reads as a backslash or a dollar, which MathJax then sees.
_ENTITY = re.compile(r"&(?=#|bsol|dollar|setminus|smallsetminus|ssetmn)", re.IGNORECASE)
# MathJax's ways to links, styles, classes, ids, images and further packages.
_COMMANDS = re.compile(
    r"\\(?=(?:href|url|style|class|cssId|data|htmlData|htmlClass|htmlId|htmlStyle|require"
    r"|includegraphics|unicode|mmlToken|texttip|mathtip|toggle)(?![a-zA-Z]))"
)


def harmless_markdown(text: str) -> str:
    """Markdown whose HTML is text, whose images and hidden links are not followed.

    A link stays one where its target is an address that begins with http:// or https://.
    """
    text = text.replace("<", f"<{_APART}")
    for pattern in (_LINK, _DEFINITION):
        text = pattern.sub(f"]{_APART}", text)
    text = _DIAGRAM.sub(rf"\g<1>{_APART}", _IMAGE.sub(f"!{_APART}", text))
    return harmless_latex(text)


def harmless_latex(text: str) -> str:
    """LaTeX whose commands only set formulas."""
    # Parted, not removed: what stands before it could take its place.
    return _COMMANDS.sub(rf"\\{_APART}", _ENTITY.sub(f"&{_APART}", text))
