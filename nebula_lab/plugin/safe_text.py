"""Text from a plugin, made harmless to show.

Names, messages, logs and tracebacks are written by strangers. A terminal escape sequence could
rewrite the screen or fill the clipboard, a bidirectional override could show a name backwards, and
a megabyte of text could hide everything else: what is shown has none of these. It is down here
because the text of an error reaches a terminal wherever nobody catches it; `nebula_lab.views` has
the same as HTML.
"""

from __future__ import annotations

import re

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
# Unicode's categories Cc, Cf and Cs, as ranges because a search by them is sixty times faster than
# a look at each character; a test holds them to `unicodedata`. Left out are the joiners U+200C and
# U+200D, which Persian, Indic scripts and emoji are spelt with and which change no direction, and
# what each kind of text keeps for itself.
_CONTROLS = r"\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f"
_FORMATS = (
    r"\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b\u200e\u200f\u202a-\u202e"
    r"\u2060-\u2064\u2066-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000110bd\U000110cd"
    r"\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001"
    r"\U000e0020-\U000e007f"
)
_NO_PROSE = re.compile(rf"[{_CONTROLS}{_FORMATS}\r\b]+")
_NO_STREAM = re.compile(rf"[{_CONTROLS}{_FORMATS}]+")


def prose(text: object, limit: int = PROSE_LIMIT) -> str:
    """Several lines, without escape sequences, control and direction characters.

    Args:
        text: anything; its `str()` is taken.
        limit: characters to show at most; what is cut away is counted in its place.
    """
    raw = str(text)
    cut = raw[: 4 * limit]  # cleaning costs time for each character, also for those not shown
    clean = _NO_PROSE.sub("", _BREAKS.sub("\n", _ESCAPE_SEQUENCE.sub("", cut)))
    if len(clean) <= limit and len(cut) == len(raw):
        return clean
    return f"{clean[:limit]}… ({len(raw):,} characters)"


def line(text: object, limit: int = LINE_LIMIT) -> str:
    """The same on one line, in at most `limit` characters."""
    clean = " ".join(prose(text, limit + 1).split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def stream_text(text: str, *, colours: bool = True) -> str:
    """What a plugin prints, as it may reach a screen: tabs and carriage returns stay.

    Args:
        text: what it printed.
        colours: let them stay too, which is for a notebook: a terminal gets no escape sequence.
    """
    if text.isascii() and text.isprintable():
        return text
    if not colours:
        return _stream_piece(text)
    pieces = []
    end = 0
    for colour in _COLOUR.finditer(text):
        pieces += [_stream_piece(text[end : colour.start()]), colour.group()]
        end = colour.end()
    return "".join([*pieces, _stream_piece(text[end:])])


def ends_kept(text: str, limit: int) -> str:
    """A long text with its middle cut out: a traceback begins and ends with what matters."""
    if len(text) <= limit:
        return text
    head, tail = limit // 4, limit - limit // 4
    return f"{text[:head]}\n… ({len(text) - limit:,} characters)\n{text[-tail:]}"


def _stream_piece(text: str) -> str:
    return _NO_STREAM.sub("", _ESCAPE_SEQUENCE.sub("", text))
