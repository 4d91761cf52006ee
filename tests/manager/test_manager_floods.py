"""Plugins that write without end, and displays of real kernels."""

from __future__ import annotations

import logging
import time

import pytest

from nebula_lab.errors import ExecutionFailedError, PluginTimeoutError
from nebula_lab.model.events import LogWritten, OutputWritten
from nebula_lab.plugin import HealthStatus
from nebula_lab.runtime.log_ring import KEPT_CHARACTERS
from nebula_lab.transport.flood_gate import (
    DISPLAYS_A_SECOND,
    DISPLAYS_AT_ONCE,
    TEXT_BURST,
    TEXT_RATE,
)

HOSTILE = "\x1b]0;owned\x07\x1b[2Jtext\u202e<script>"
FLOODER = """
def initialize(self, config):
    self.log = __import__("logging").getLogger("flooder")
@operation
def prints(self, megabytes: int):
    for _ in range(megabytes * 100):
        print("x" * 9_999)
    return "done"
@operation
def one_print(self, megabytes: int):
    print("x" * megabytes * 1_000_000)
@operation
def logs(self, count: int):
    for number in range(count):
        self.log.warning("record %d %s", number, "x" * 9_000)
    return "done"
@operation
def displays(self, count: int):
    from IPython.display import display
    for number in range(count):
        display({"text/plain": str(number)}, raw=True)
    return "done"
@operation
def raw(self, megabytes: int):
    for _ in range(megabytes * 16):
        os.write(1, b"y" * 62_499 + b"\\\\n")
    return "done"
@operation
def raw_for_ever(self):
    while True:
        os.write(1, b"y" * 65_536)
@operation
def prints_for_ever(self):
    while True:
        print("z" * 1000)
@operation
def floods_behind(self):
    def flood():
        while True:
            os.write(1, b"y" * 65_536)
    threading.Thread(target=flood, daemon=True).start()
@operation
def items(self):
    yield 1
    for _ in range(3_000):
        print("w" * 10_000)
    yield 2
@operation
def ping(self) -> int:
    return 1
@operation
def says(self, text: str):
    import warnings
    print(text); print(text, file=sys.stderr)
    self.log.warning(text)
    context.progress(1, 2, text)
@operation
def raises(self, text: str):
    raise type(text[:100].replace(chr(0), ""), (Exception,), {})(text)
@operation
def comm(self) -> str:
    import comm
    one = comm.create_comm(target_name="evil", data={"a": 1})
    one.send({"b": 2})
    one.close()
    return "sent"
@operation
def widget(self) -> str:
    from IPython.display import display
    mime = "application/vnd.jupyter.widget-view+json"
    display({mime: {"model_id": "1"}, "text/plain": "IntSlider()"}, raw=True)
    return "shown"
@operation
def html(self):
    from IPython.display import HTML, display
    display(HTML("<script>alert(1)</script>"))
def health_check(self):
    return HealthStatus.degraded("\\\\x1b]0;owned\\\\x07bad\\\\u202e" + "x" * 1_000_000)
""".replace("\\\\", "\\")
RICH = {"security": {"capabilities": ["RichDisplay"]}}


class Screen:
    """A sink that keeps all of it, by kind."""

    def __init__(self):
        self.texts, self.bundles, self.logs, self.bars = [], [], [], []

    def write(self, stream, text):
        self.texts.append(text)

    def display(self, action, bundle):
        self.bundles.append(bundle["data"])

    def log(self, level, logger, message):
        self.logs.append(message)

    def progress(self, label, done, total, text):
        self.bars.append(text)

    def text(self):
        return "".join(self.texts)


@pytest.fixture(scope="module")
def manager(shared_folder):
    shared_folder.plugin("flooder", FLOODER)
    shared_folder.plugin("rich", FLOODER, **RICH)
    shared_folder.plugin("calm", "@operation\ndef ping(self) -> int: return 1")
    granted = {"sandbox": "Process", "capabilities": ["RichDisplay"]}
    with shared_folder.manager(security=granted) as plugins:
        yield plugins


@pytest.fixture
def plugins(manager):
    """The shared manager with fresh hosts' budgets and a screen of this test's own."""
    manager.output = Screen()
    for plugin_id in ("flooder", "rich"):
        manager.unload_plugin(plugin_id)
    return manager


FLOODS = {
    "prints": ({"megabytes": 30}, "characters left out"),
    "one_print": ({"megabytes": 20}, "characters left out"),
    "logs": ({"count": 3_000}, "left out"),  # a slow machine meets the limit of a call first
    "displays": ({"count": 4_000}, "displays left out"),
    "raw": ({"megabytes": 30}, "characters left out"),
}


@pytest.mark.parametrize("operation", FLOODS)
def test_a_flood_is_cut_and_counted_ahead_of_the_result(plugins, operation):
    params, told = FLOODS[operation]
    began = time.monotonic()
    plugins.execute("flooder", operation, params, timeout=120)
    seconds = time.monotonic() - began
    screen = plugins.output
    assert told in screen.text()  # and what is there by now came ahead of the result
    shown = len(screen.text()) + sum(map(len, screen.logs))
    assert shown < 2 * TEXT_BURST + TEXT_RATE * seconds
    assert len(screen.bundles) < 2 * DISPLAYS_AT_ONCE + DISPLAYS_A_SECOND * seconds


@pytest.mark.parametrize("operation", ["raw_for_ever", "prints_for_ever"])
def test_a_flood_without_end_is_ended_by_the_deadline(plugins, operation):
    started = time.monotonic()
    with pytest.raises(PluginTimeoutError):
        plugins.execute("flooder", operation, timeout=0.5)
    assert time.monotonic() - started < 20
    assert plugins.execute("calm", "ping") == 1


def test_a_flood_outside_of_any_call_holds_up_nobody_and_is_in_the_log(plugins, wait_until):
    plugins.execute("flooder", "floods_behind")
    wait_until(
        lambda: any("left out" in line.text for line in plugins.logs("flooder")), "the note", 30
    )
    for _ in range(20):
        assert plugins.execute("calm", "ping", timeout=60) == 1
    assert plugins.execute("flooder", "ping", timeout=60) == 1
    size = sum(len(line.text) for line in plugins.logs("flooder"))
    assert size <= KEPT_CHARACTERS + 1000
    plugins.unload_plugin("flooder")


def test_a_stream_that_nobody_takes_from_costs_no_memory_without_end(plugins):
    with plugins.execute("flooder", "items", timeout=60) as items:
        assert next(items) == 1
        assert next(items) == 2
    assert "characters left out" in plugins.output.text()


def test_after_a_flood_the_plugin_is_heard_again(plugins, wait_until):
    plugins.execute("flooder", "one_print", {"megabytes": 6})

    def heard():
        plugins.output = Screen()
        plugins.execute("flooder", "says", {"text": "me again"})
        return "me again" in plugins.output.text()

    wait_until(heard, "what it prints")


# What it says, wherever it is shown


def test_what_a_plugin_writes_is_clean_before_any_sink_event_or_handler_has_it(
    plugins, wait_until, caplog
):
    told = []
    end = plugins.subscribe(told.append)
    with caplog.at_level(logging.INFO, "nebula_lab.plugin"):
        plugins.execute("flooder", "says", {"text": HOSTILE + "\nERROR root: forged"})
    wait_until(lambda: sum(isinstance(one, LogWritten) for one in told), "the record")
    end()
    screen = plugins.output
    every = [*screen.texts, *screen.logs, *screen.bars, caplog.text]
    every += [one.text for one in told if isinstance(one, OutputWritten)]
    every += [one.message for one in told if isinstance(one, LogWritten)]
    every += [line.text for line in plugins.logs("flooder")]
    assert not [text for text in every if "\x1b" in text or "\u202e" in text or "\x07" in text]
    assert "\nERROR root: forged" not in caplog.text


@pytest.mark.parametrize("text", [HOSTILE, "x" * 1_000_000], ids=["escapes", "a megabyte"])
def test_what_a_plugin_raises_is_clean_in_the_error(plugins, text):
    with pytest.raises(ExecutionFailedError) as caught:
        plugins.execute("flooder", "raises", {"text": text})
    said = str(caught.value)
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert len(said) < 60_000


def test_a_health_message_is_clean_and_short_as_text(plugins):
    plugins.load_plugin("flooder")
    health = plugins.plugin_health("flooder")
    assert isinstance(health, HealthStatus)
    assert str(health).startswith("Degraded: badxxx")
    assert len(str(health)) < 30_000


# Displays of real kernels


def test_html_is_shown_for_a_plugin_that_asks_for_it_and_is_granted_it(plugins):
    plugins.execute("rich", "html")
    assert plugins.output.bundles[0]["text/html"] == "<script>alert(1)</script>"


def test_html_is_left_out_for_any_other(plugins):
    plugins.execute("flooder", "html")
    assert list(plugins.output.bundles[0]) == ["text/plain"]
    assert "no capability RichDisplay" in plugins.output.bundles[0]["text/plain"]


@pytest.mark.parametrize("plugin", ["flooder", "rich"])
def test_comm_messages_go_nowhere_and_harm_nobody(plugins, plugin):
    assert plugins.execute(plugin, "comm") == "sent"
    assert plugins.output.bundles == plugins.output.texts == []


@pytest.mark.parametrize("plugin", ["flooder", "rich"])
def test_a_widget_is_shown_as_its_text(plugins, plugin):
    assert plugins.execute(plugin, "widget") == "shown"
    (shown,) = plugins.output.bundles
    assert list(shown) == ["text/plain"]
    assert shown["text/plain"].startswith("IntSlider()\n(application/vnd.jupyter.widget-view+json")


def test_the_manager_opens_no_zmq_socket():
    # A kernel's IOPub, and so its comm messages, can only be had by one.
    import subprocess
    import sys

    code = (
        "import nebula_lab.manager, nebula_lab.sandbox.process, sys; sys.exit('zmq' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
