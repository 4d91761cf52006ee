"""Whatever a plugin writes into its texts, a front end gets clean, short text."""

from __future__ import annotations

import json

import pytest

MARKUP = "<img src=x onerror=alert(1)>"
STEERING = "\x1b[2J\x1b]52;c;AAAA\x07‮gnp.exe​"
HOSTILE = f"{MARKUP}{STEERING}"
LARGE = "x" * 1_000_000


def body(text: str) -> str:
    return f"""
T = {text!r}
class It(Plugin):
    @operation
    def say(self):
        print(T)
        self.context.log(T, level="error")
        return {{T: T, "deep": [[T]]}}
    @operation
    def boom(self):
        raise ValueError(T)
    def health_check(self):
        return HealthStatus.unhealthy(T)
def plugin_entry():
    return It()
"""


@pytest.fixture(params=[HOSTILE, LARGE], ids=["steering", "large"])
def hostile(request, manager, write):
    write(
        "hostile", body(request.param), name=request.param[:900], description=request.param[:9000]
    )
    manager.rediscover()
    return request.param


def everything(front_end) -> str:
    return json.dumps(front_end.got, ensure_ascii=False)


def test_no_text_of_a_plugin_steers_or_floods(front_end, hostile):
    front_end.watch("plugins", "graph", logs=["hostile"])
    front_end.ask("call", plugin="hostile", operation="say", params={})
    front_end.ask("call", plugin="hostile", operation="boom", params={})
    for kind in ("operations", "history", "logs", "health"):
        front_end.ask(kind, plugin="hostile")
    for kind in ("samples", "problems", "askGraph"):
        front_end.ask(kind)
    front_end.wait(
        lambda: front_end.rows and front_end.rows["hostile"]["health"] == "Unhealthy", "its health"
    )
    front_end.wait(lambda: front_end.of("logLines"), "its lines")
    told = everything(front_end)
    assert not any(character in told for character in STEERING if not character.isprintable())
    assert max(len(json.dumps(message)) for message in front_end.got) < 200_000


def test_markup_stays_the_text_that_it_is(front_end, manager, write):
    write("hostile", body(HOSTILE), name=MARKUP)
    manager.rediscover()
    front_end.watch("plugins")
    front_end.wait(lambda: front_end.rows, "a snapshot")
    assert front_end.rows["hostile"]["name"] == MARKUP


@pytest.mark.in_sandbox("Process")
def test_a_plugin_that_writes_without_end_does_not_hold_up_the_feed(front_end, manager, write):
    write(
        "flood",
        """
class It(Plugin):
    @operation
    def flood(self):
        for _ in range(200_000):
            print("x" * 200)
def plugin_entry():
    return It()
""",
    )
    manager.rediscover()
    front_end.watch("plugins", logs=["flood"])
    number = front_end.start("call", plugin="flood", operation="flood", params={})
    front_end.ask("load", plugin="counter")
    front_end.wait(lambda: front_end.rows["counter"]["state"] == "Loaded", "another's state")
    front_end.send("cancel", id=number)
    front_end.end_of(number)
