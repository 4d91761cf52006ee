"""Text of plugins on its way to a terminal: errors, health, problems, and the characters kept."""

from __future__ import annotations

import sys
import time
import traceback
import unicodedata

import pytest

from nebula_lab.errors import (
    ExecutionFailedError,
    ExitReport,
    LoadFailedError,
    NotFoundError,
    PluginCrashedError,
    PluginError,
)
from nebula_lab.link.end import ChannelEndedError
from nebula_lab.model import Problem
from nebula_lab.plugin import HealthStatus
from nebula_lab.plugin.safe_text import ends_kept, prose, stream_text
from nebula_lab.runtime.failures import error_from
from nebula_lab.runtime.operation import read_description
from nebula_lab.wire.errors import LibraryMissingError, RemoteProtocolError
from nebula_lab.wire.messages import Failure

HOSTILE = "\x1b]0;owned\x07\x1b[2Ja\u202eb\x9bc\x00"
MEGABYTE = "x" * 1_000_000
KEPT = {"prose": "\n\t", "stream": "\n\t\r\b"}


def report(text):
    return ExitReport(text, stderr_tail=(text,))


SAYING = {
    "PluginError": lambda text: PluginError(text, plugin_id=text, path=text, hint=text),
    "NotFoundError": lambda text: NotFoundError(text),
    "LoadFailedError": lambda text: LoadFailedError(text, remote_traceback=text),
    "ExecutionFailedError": lambda text: ExecutionFailedError(
        text, plugin_id=text, operation=text, remote_traceback=text
    ),
    "PluginCrashedError": lambda text: PluginCrashedError(plugin_id=text, report=report(text)),
    "ChannelEndedError": ChannelEndedError,
    "RemoteProtocolError": RemoteProtocolError,
    "LibraryMissingError": lambda text: LibraryMissingError(text, text),
    "HealthStatus": HealthStatus.unhealthy,
    "Problem": lambda text: Problem.from_error(PluginError(text, path=text, hint=text), "metadata"),
}


def is_harmless(text):
    return not any(
        unicodedata.category(one) in ("Cc", "Cf", "Cs") and one not in "\n\t" for one in text
    )


@pytest.mark.parametrize("say", SAYING.values(), ids=SAYING)
def test_what_says_a_plugins_words_steers_no_terminal(say):
    assert is_harmless(str(say(HOSTILE)))


@pytest.mark.parametrize("say", SAYING.values(), ids=SAYING)
def test_what_says_a_plugins_words_comes_to_an_end(say):
    assert len(str(say(MEGABYTE))) < 60_000


@pytest.mark.parametrize("make", [one for name, one in SAYING.items() if name.endswith("Error")])
def test_an_error_that_nobody_catches_steers_no_terminal(make):
    assert is_harmless("".join(traceback.format_exception(make(HOSTILE))))


def test_the_attributes_of_an_error_are_what_they_were_given():
    assert PluginError(HOSTILE).message == HOSTILE


def test_a_failure_of_a_host_is_cut_to_what_can_be_kept():
    failure = Failure(1, "raised", MEGABYTE, MEGABYTE, f"first\n{MEGABYTE}\nlast")
    error = error_from(failure, "p", "op", None)
    assert len(error.message) + len(error.remote_traceback) + len(error.error_type) < 40_000
    assert error.remote_traceback.startswith("first\n")
    assert error.remote_traceback.endswith("\nlast")


def test_a_text_is_cut_in_its_middle_and_says_so():
    assert ends_kept("a" * 4 + "b" * 100 + "c" * 12, 16) == f"aaaa\n… (100 characters)\n{'c' * 12}"


def described(**operation):
    entry = {"name": "op", "params_schema": {"type": "object", "properties": {}}, **operation}
    return read_description({"operations": [entry], "open": False}, "p").operations["op"]


def test_the_description_of_an_operation_is_cleaned_for_whoever_asks_for_help():
    operation = described(description=HOSTILE, signature=HOSTILE)
    assert is_harmless(operation.description)
    assert is_harmless(operation.signature)


@pytest.mark.parametrize("name", ["\x1b[2J", "a\u202eb", "x" * 300, "a\nb"])
def test_an_operation_with_a_name_that_can_not_be_shown_is_refused(name):
    with pytest.raises(LoadFailedError, match="no name for an operation"):
        described(name=name)


@pytest.mark.parametrize("kind", KEPT)
def test_every_control_format_and_surrogate_character_goes(kind):
    clean = {"prose": lambda text: prose(text, 2_000_000), "stream": stream_text}[kind]
    joiners = "\u200c\u200d"
    every = (chr(code) for code in range(sys.maxunicode + 1))
    hidden = [
        one
        for one in every
        if unicodedata.category(one) in ("Cc", "Cf", "Cs") and one not in KEPT[kind] + joiners
    ]
    left = [one for one in hidden if clean(one) not in ("", "\n")]
    assert left == []


def test_a_terminal_gets_not_even_colours():
    assert stream_text("\x1b[1;31m50 %\x1b[0m\r\n", colours=False) == "50 %\r\n"


def test_ten_megabytes_of_lines_are_cleaned_at_once():
    started = time.thread_time()  # of the processor, which others use too
    stream_text("naïve text, line by line\n" * 400_000)
    assert time.thread_time() - started < 5
