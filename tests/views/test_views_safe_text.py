"""Text of strangers is harmless once it is shown."""

from __future__ import annotations

import time

import pytest

from nebula_lab.views.safe_text import escaped, line, prose, stream_text


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]52;c;cm0gLXJm\x07clipboard", "clipboard"),
        ("\x1b]0;title\x1b\\title", "title"),
        ("\x1bP1$r\x1b\\dcs", "dcs"),
        ("\x9b2Jeight bit", "eight bit"),
        ("\x1b]8;;http://x\x1b\\link", "link"),
        ("never ends \x1b]0;oh", "never ends ]0;oh"),
        ("a\x00b\x07c\x08d\x7f", "abcd"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("\u2066iso\u2069late", "isolate"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("lone \ud800 surrogate", "lone  surrogate"),
        ("\U000e0041tag", "tag"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
    ],
)
def test_prose_has_no_escape_sequence_control_or_direction_character(hostile, shown):
    assert prose(hostile) == shown


@pytest.mark.parametrize("text", ["naïve", "日本語", "👩‍🚀", "می‌خواهم", "a\tb\nc"])
def test_prose_keeps_what_people_write(text):
    assert prose(text) == text


def test_prose_says_how_much_it_cut_away():
    assert prose("x" * 30_000, limit=5) == "xxxxx… (30,000 characters)"


def test_a_line_is_one_line():
    assert line("one\n\ttwo\r\n  three") == "one two three"


def test_a_line_ends_at_its_limit():
    assert line("x" * 500, limit=10) == "x" * 9 + "…"


def test_escaped_text_is_fit_for_an_attribute():
    assert escaped("""<a href="x" y='z'>&""") == "&lt;a href=&quot;x&quot; y=&#x27;z&#x27;&gt;&amp;"


def test_a_stream_keeps_colours_and_carriage_returns():
    assert stream_text("\x1b[1;31m50 %\x1b[0m\r\n") == "\x1b[1;31m50 %\x1b[0m\r\n"


def test_a_stream_moves_no_cursor_and_sets_no_clipboard():
    assert stream_text("\x1b[2J\x1b[H\x1b]52;c;eA==\x07ok\u202e") == "ok"


@pytest.mark.parametrize("piece", ["\x90", "\x1b]", "\x1b[0", "\x9b", "\x1b\\", "\u202e"])
def test_cleaning_takes_time_in_proportion_to_the_text(piece):
    started = time.thread_time()
    stream_text(piece * 200_000)
    assert time.thread_time() - started < 2
