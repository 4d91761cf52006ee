"""What a plugin may write to do harm, and whether a view let any of it through."""

from __future__ import annotations

import re
from html.parser import HTMLParser

EVIL = (
    "<img src=x onerror=alert(1)>\x1b]0;t\x07\x1b[31m\u202e\u2066javascript:alert(1)</table>\x00&"
)
HUGE = "x<b>" * 250_000
MOST = 500_000  # characters of a view of one value, with a megabyte in each field of it

_TAGS = frozenset(
    {"table", "caption", "thead", "tbody", "tr", "th", "td", "ul", "li", "p", "br", "pre"}
    | {"div", "span", "strong", "details", "summary"}
)
_ATTRIBUTES = frozenset({"style", "scope", "role", "aria-hidden", "open"})
_STYLE = re.compile(r"[a-z0-9:;.,#() \-]*")
_STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class _Looking(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attributes):
        assert tag in _TAGS, tag
        for name, value in attributes:
            assert name in _ATTRIBUTES, (tag, name)
            assert name != "style" or _STYLE.fullmatch(value.lower()), value
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_comment(self, data):
        raise AssertionError(data)

    handle_decl = handle_pi = handle_comment


def assert_harmless(bundle: dict) -> None:
    """Nothing in any form of a value runs, steers a terminal, turns text round or has no end."""
    assert set(bundle) <= {"text/plain", "text/html"}
    for text in bundle.values():
        assert len(text) < MOST
        assert not _STEERS.search(text)
    looking = _Looking()
    looking.feed(bundle["text/html"])
    looking.close()
    assert looking.open == []
