"""Text from a plugin, made harmless to show.

Names, messages, logs and tracebacks are written by strangers. A terminal escape sequence could
rewrite the screen or fill the clipboard, a bidirectional override could show a name backwards, and
a megabyte of text could hide everything else: what is shown has none of these.
"""

from __future__ import annotations

import html
import re
import unicodedata

LINE_LIMIT = 200
PROSE_LIMIT = 20_000

# CSI, then the strings (OSC, DCS, SOS, PM, APC) up to their terminator, then two-byte escapes; the
# eight-bit forms of their introducers too. A string that never ends loses its introducer alone.
_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-Z\\^-~]"
)
_COLOUR = re.compile(r"\x1b\[[0-9;:]{0,40}m")
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Joiners that Persian, Indic scripts and emoji are spelt with; they do not change direction.
_JOINERS = "\u200c\u200d"
_INVISIBLE = frozenset({"Cc", "Cf", "Cs"})


def prose(text: object, limit: int = PROSE_LIMIT) -> str:
    """Several lines, without escape sequences, control and direction characters.

    Args:
        text: anything; its `str()` is taken.
        limit: characters to show at most; what is cut away is counted in its place.
    """
    raw = str(text)
    cut = raw[: 4 * limit]  # cleaning costs time for each character, also for those not shown
    clean = _visible(_BREAKS.sub("\n", _ESCAPE_SEQUENCE.sub("", cut)), "\n\t")
    if len(clean) <= limit and len(cut) == len(raw):
        return clean
    return f"{clean[:limit]}… ({len(raw):,} characters)"


def line(text: object, limit: int = LINE_LIMIT) -> str:
    """The same on one line, in at most `limit` characters."""
    clean = " ".join(prose(text, limit + 1).split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def stream_text(text: str) -> str:
    """What a plugin prints, as it may reach a screen: colours, tabs and carriage returns stay."""
    pieces = []
    end = 0
    for colour in _COLOUR.finditer(text):
        pieces += [_stream_piece(text[end : colour.start()]), colour.group()]
        end = colour.end()
    return "".join([*pieces, _stream_piece(text[end:])])


def escaped(text: object, limit: int = LINE_LIMIT) -> str:
    """One clean line as HTML text, fit for attributes too."""
    return html.escape(line(text, limit))


def escaped_prose(text: object, limit: int = PROSE_LIMIT) -> str:
    """Several clean lines as HTML text."""
    return html.escape(prose(text, limit))


def _stream_piece(text: str) -> str:
    return _visible(_ESCAPE_SEQUENCE.sub("", text), "\n\t\r\b")


def _visible(text: str, kept: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        for character in text
        if character in kept
        or character in _JOINERS
        or unicodedata.category(character) not in _INVISIBLE
    )
